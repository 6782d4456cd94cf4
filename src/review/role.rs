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

    /// Roles it may give to somebody who has (`None`: who is new and has none) a role; none: it may
    /// not touch them at all. An operator decides nothing, and so makes nobody decide: neither by a
    /// role nor, see [`Role::sets_password_of`], by signing in as somebody who does.
    pub(super) fn gives(self, known: Option<Self>) -> Vec<Self> {
        match (self, known) {
            (Self::Lead, _) => Self::ALL.to_vec(),
            (Self::Operator, Some(Self::Lead)) | (Self::Viewer | Self::Reviewer, _) => Vec::new(),
            (Self::Operator, Some(Self::Reviewer)) => vec![Self::Viewer, Self::Reviewer, Self::Operator],
            (Self::Operator, _) => vec![Self::Viewer, Self::Operator],
        }
    }

    /// Whether it may give a password to somebody of a role.
    pub(super) fn sets_password_of(self, known: Option<Self>) -> bool {
        match self {
            Self::Lead => true,
            Self::Operator => !known.is_some_and(|known| known.may(Right::Decide)),
            Self::Viewer | Self::Reviewer => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_makes_nobody_decide() {
        for known in [None].into_iter().chain(Role::ALL.map(Some)) {
            let decided = known.is_some_and(|known| known.may(Right::Decide));
            let given = Role::Operator.gives(known);
            assert!(decided || !given.iter().any(|role| role.may(Right::Decide)), "{known:?}: {given:?}");
            assert_eq!(Role::Operator.sets_password_of(known), !decided, "{known:?}");
        }
        assert!(Role::Operator.gives(Some(Role::Lead)).is_empty());
        assert!(Role::Reviewer.gives(Some(Role::Viewer)).is_empty() && Role::Viewer.gives(None).is_empty());
    }
}
