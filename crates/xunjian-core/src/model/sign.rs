//! The thirteen signs of the notice, and further ones that statute gives ground for.

use serde::{Deserialize, Serialize};

use super::{Kind, Kinds, RegisterKind};

macro_rules! signs {
    ($($variant:ident = $id:literal, $doc:literal;)*) => {
        /// What the notice bars or asks for. Ids are fixed: reviews refer to them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Sign { $(#[doc = $doc] #[serde(rename = $id)] $variant,)* }

        impl Sign {
            /// Every sign, in the order of reports.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The fixed id.
            #[must_use]
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id,)* } }
        }
    };
}

signs! {
    PreschoolTraining = "preschool-training", "Training aimed at children before school (draft 三（二）1).";
    SubjectTutoring = "subject-tutoring", "School subjects taught to grades 1–12 (draft 二（二）1, 三（一）).";
    DisguisedTutoring = "disguised-tutoring", "Tutoring under another name (draft 三（一）, with the ministry's list).";
    PhotoSearch = "photo-search", "Answers found by photographing an exercise (draft 三（二）2).";
    LiveTutoring = "live-tutoring", "School subjects taught by live stream (draft 三（二）2).";
    GameLink = "game-link", "Links to games (draft 三).";
    Advertising = "advertising", "Advertisements (draft 三).";
    HarmfulContent = "harmful-content", "Negative or harmful content (draft 三).";
    MinorPrivacy = "minor-privacy", "No care shown with minors' data (draft 三).";
    ComplaintChannel = "complaint-channel", "No complaint and report entry (draft 三（三）).";
    ServiceTerms = "service-terms", "No published rules or service agreement (draft 三（三）).";
    FilingMissing = "filing-missing", "No filing shown or registered (draft 二（三）, 五).";
    SchoolFee = "school-fee", "Charges in an app that a school chose for all (draft 二（三）).";
    GuaranteedResults = "guaranteed-results", "Results of teaching or exams promised (Advertising Law, 24).";
    MinorsMode = "minors-mode", "No minors' mode or control for guardians (Regulation on Minors Online, 43).";
}

impl Sign {
    /// The sign with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sign| sign.id() == id)
    }

    /// None of the notice's own: raised, and spoken of, only under a policy that names it.
    #[must_use]
    pub const fn is_further(self) -> bool {
        matches!(self, Self::GuaranteedResults | Self::MinorsMode)
    }

    /// Raised whatever the profile says: an app that finds answers to exercises by
    /// photograph serves pupils with it, be it made for them or not.
    #[must_use]
    pub const fn is_always_in_scope(self) -> bool {
        matches!(self, Self::PhotoSearch)
    }

    /// Worth a look in an app of which it cannot be told what it is for: what was found stands for
    /// itself. What is only missing, or bound to schools, says nothing there.
    #[must_use]
    pub const fn stands_alone(self) -> bool {
        !self.is_absence() && !matches!(self, Self::SchoolFee)
    }

    /// Kinds without which the sign cannot be called absent.
    #[must_use]
    pub fn lives_in(self) -> Kinds {
        let code = Kind::Class.bit() | Kind::Component.bit() | Kind::Native.bit();
        match self {
            Self::PreschoolTraining
            | Self::SubjectTutoring
            | Self::DisguisedTutoring
            | Self::SchoolFee
            | Self::GuaranteedResults => Kinds::PITCH | Kinds::INSIDE,
            Self::LiveTutoring => Kinds::PITCH | Kinds::INSIDE | code,
            Self::PhotoSearch | Self::GameLink | Self::Advertising => Kinds::INSIDE | code,
            Self::HarmfulContent | Self::ComplaintChannel | Self::ServiceTerms | Self::FilingMissing => Kinds::INSIDE,
            Self::MinorPrivacy => Kinds::INSIDE | Kind::Permission.bit(),
            Self::MinorsMode => Kinds::INSIDE | code,
        }
    }

    /// The register that speaks about the sign.
    #[must_use]
    pub const fn register(self) -> Option<RegisterKind> {
        match self {
            Self::SubjectTutoring | Self::DisguisedTutoring | Self::LiveTutoring => Some(RegisterKind::Licence),
            Self::FilingMissing | Self::PreschoolTraining => Some(RegisterKind::Filing),
            _ => None,
        }
    }

    /// Found by something not being there: the finding lists where it looked.
    #[must_use]
    pub const fn is_absence(self) -> bool {
        matches!(
            self,
            Self::MinorPrivacy | Self::ComplaintChannel | Self::ServiceTerms | Self::FilingMissing | Self::MinorsMode
        )
    }
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
