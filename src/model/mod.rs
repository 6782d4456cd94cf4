//! The nouns of the pipeline: what a stage hands to the next. No I/O lives here.

mod app;
mod budget;
pub mod config;
mod coverage;
mod detection;
mod fact;
pub mod fetch;
mod finding;
mod listing;
mod report;
mod sign;
pub mod signed;
mod standing;
mod trial;

pub use app::{App, Artifact, ArtifactKind};
pub use budget::Budget;
pub use coverage::{Coverage, Level, Limit, LimitCode, Read, Reading};
pub use detection::{
    About, Cause, Detection, FacetSeen, Held, Hits, Holding, Later, LibrarySeen, ModelVerdict, NearMiss, OwnClasses,
    Seen, Sighting, Trace,
};
pub use fact::{Block, Fact, Facts, Kind, Kinds};
pub use finding::{
    Check, Confidence, Contribution, Evidence, Finding, Ground, Outcome, Severity, Standing, Trick, Words, WrittenAs,
    hex,
};
pub use listing::{Listing, ListingError};
pub use report::{Audit, Education, LibraryFound, MadeBy, Profile, Report, SCHEMA, Skipped, Verdict};
pub use sign::Sign;
pub use standing::{Answer, RegisterKind, Row, Standings};
pub use trial::{Lack, Trial, Tried, Weighed};
