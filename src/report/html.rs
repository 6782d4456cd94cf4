//! stub
use super::{ReportWriter, Style};
use crate::model::{Audit, MadeBy, Skipped};
use std::io::{self, Write};
pub(super) struct Html(Box<dyn Write + Send>);
impl Html {
    pub(super) fn new(out: Box<dyn Write + Send>, _: Style, _: MadeBy) -> Self {
        Self(out)
    }
}
impl ReportWriter for Html {
    fn audit(&mut self, a: Audit) -> io::Result<()> {
        writeln!(self.0, "{a:?}")
    }
    fn skipped(&mut self, s: Skipped) -> io::Result<()> {
        writeln!(self.0, "{s:?}")
    }
    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
