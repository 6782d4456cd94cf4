//! The nouns of the pipeline: what a stage hands to the next. No I/O lives here.

mod app;
mod budget;
pub mod config;
mod coverage;
mod detection;
pub mod ending;
mod fact;
pub mod fetch;
mod finding;
mod law;
mod listing;
pub mod loose;
mod meter;
mod report;
mod sign;
pub mod signed;
mod standing;
mod trial;

pub use app::{App, Artifact, ArtifactKind, Listed, Signer};
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
pub use law::{Basis, Cited, Known, Misfit, Sanction, Status};
pub use listing::{Listing, ListingError};
pub use meter::{Meter, Spent};
pub use report::{Asks, Audit, Education, LibraryFound, MadeBy, Profile, Provider, Report, SCHEMA, Skipped, Verdict};
pub use sign::Sign;
pub use standing::{Answer, FoundBy, RegisterKind, Row, SMALL_REGISTER, Standings};
pub use trial::{Lack, Trial, Tried, Weighed};
