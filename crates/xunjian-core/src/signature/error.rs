//! What can be wrong with a signature, always with its file, line and column.

/// A fault in a signature, lexicon, library or policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PackError {
    /// Path within the signatures folder.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl PackError {
    /// A fault at a byte offset of the file's text.
    #[must_use]
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let head = text.get(..offset).unwrap_or("");
        let line_start = head.rfind('\n').map_or(0, |i| i + 1);
        Self {
            file: file.into(),
            line: head.matches('\n').count() + 1,
            column: head[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}
