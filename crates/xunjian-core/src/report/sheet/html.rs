//! Pages as HTML that prints to A4.

use std::io::{self, Write};

use askama::Template;

use super::Run;
use super::page::{self, Page};
use crate::model::{Audit, MadeBy, Skipped};
use crate::report::words::{Lang, said};
use crate::report::{ReportWriter, Style};

/// Writes pages as audits come.
pub(in crate::report) struct Sheet {
    out: Box<dyn Write + Send>,
    run: Run,
    is_open: bool,
    skipped: Vec<Skipped>,
}

#[derive(Template)]
#[template(path = "report/sheet_head.html")]
struct Head<'a> {
    is_zh: bool,
    title: &'a str,
}

#[derive(Template)]
#[template(path = "report/sheet_page.html")]
struct Body<'a> {
    page: &'a Page,
}

impl Sheet {
    pub(in crate::report) fn new(out: Box<dyn Write + Send>, style: Style, made_by: MadeBy) -> Self {
        let run = Run { lang: Lang::of(&style.lang), at: style.at, made_by };
        Self { out, run, is_open: false, skipped: Vec::new() }
    }

    fn open(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_open, true) {
            return Ok(());
        }
        let title = said("sheet.title", &[]);
        let head = Head { is_zh: self.run.lang == Lang::Zh, title: title.get(self.run.lang) };
        Template::write_into(&head, &mut self.out)
    }

    fn page(&mut self, page: &Page) -> io::Result<()> {
        self.open()?;
        Template::write_into(&Body { page }, &mut self.out)
    }
}

impl ReportWriter for Sheet {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        if audit.findings.is_empty() {
            return self.page(&page::of(&self.run, &audit, None));
        }
        audit.findings.iter().try_for_each(|finding| {
            let page = page::of(&self.run, &audit, Some(finding));
            self.page(&page)
        })
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.skipped.push(skipped);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.open()?;
        if !self.skipped.is_empty() {
            let page = page::of_skipped(&self.run, &self.skipped);
            self.page(&page)?;
        }
        self.out.write_all(b"</body>\n</html>\n")?;
        self.out.flush()
    }
}
