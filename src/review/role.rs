//! What people may do.

/// A person's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Decides.
    Reviewer,
    /// Decides, gives work to others, sees who did what and says who may sign in.
    Lead,
    /// Runs the program: people and log, but no decisions.
    Operator,
}

/// Something not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Decide on findings, take apps, ask for another audit.
    Decide,
    /// Give apps to others.
    Assign,
    /// Say who may sign in; see who did what.
    Govern,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Reviewer, Self::Lead, Self::Operator];

    /// Its id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Lead => "lead",
            Self::Operator => "operator",
        }
    }

    /// The role with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    pub(super) const fn may(self, right: Right) -> bool {
        match right {
            Right::Decide => matches!(self, Self::Reviewer | Self::Lead),
            Right::Assign => matches!(self, Self::Lead),
            Right::Govern => matches!(self, Self::Lead | Self::Operator),
        }
    }
}
