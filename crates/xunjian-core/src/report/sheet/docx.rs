//! Pages as a document for word processors: Office Open XML (ECMA-376), the parts that such a document must have.

use std::fmt::Write as _;
use std::io::{self, Cursor, Write};

use zip::write::SimpleFileOptions;

use super::Run;
use super::page::{self, Line, Page};
use crate::model::{Audit, MadeBy, Skipped};
use crate::report::words::Lang;
use crate::report::{ReportWriter, Style};

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/footer1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
const OF_DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer1.xml"/></Relationships>"#;
/// Ten points; sizes are half points.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="SimSun" w:cs="Arial"/><w:sz w:val="19"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:before="0" w:after="30" w:line="240" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults></w:styles>"#;
const NAMESPACES: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships""#;
/// A4 in twentieths of a point, with margins of 17 mm.
const SECTION: &str = r#"<w:sectPr><w:footerReference w:type="default" r:id="rId2"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="850" w:right="960" w:bottom="850" w:left="960" w:header="400" w:footer="400" w:gutter="0"/></w:sectPr>"#;

/// Writes the document at the end.
pub(in crate::report) struct Docx {
    out: Box<dyn Write + Send>,
    run: Run,
    body: String,
    skipped: Vec<Skipped>,
}

impl Docx {
    pub(in crate::report) fn new(out: Box<dyn Write + Send>, style: Style, made_by: MadeBy) -> Self {
        let run = Run { lang: Lang::of(&style.lang), at: style.at, made_by };
        Self { out, run, body: String::new(), skipped: Vec::new() }
    }

    fn page(&mut self, page: &Page) {
        let is_first = self.body.is_empty();
        let breaks = if is_first { "" } else { "<w:pageBreakBefore/>" };
        let title = run_of(&page.title, "<w:b/><w:sz w:val=\"26\"/>");
        // Writing to a string cannot fail.
        let _ = write!(
            self.body,
            "<w:p><w:pPr>{breaks}<w:spacing w:after=\"100\"/><w:jc w:val=\"center\"/></w:pPr>{title}</w:p>"
        );
        self.body.push_str(&table(&page.head));
        for section in &page.sections {
            let heading = run_of(&section.heading, "<w:b/>");
            let _ = write!(self.body, "<w:p><w:pPr><w:keepNext/><w:spacing w:before=\"90\"/></w:pPr>{heading}</w:p>");
            section.lines.iter().for_each(|line| self.body.push_str(&paragraph(line)));
        }
        for text in &page.foot {
            let _ = write!(self.body, "<w:p><w:pPr><w:spacing w:before=\"60\"/></w:pPr>{}</w:p>", run_of(text, SMALL));
        }
        if !page.blanks.is_empty() {
            let blanks: Vec<String> = page.blanks.iter().map(|label| format!("{label} ______________")).collect();
            let _ = write!(
                self.body,
                "<w:p><w:pPr><w:spacing w:before=\"200\"/></w:pPr>{}</w:p>",
                run_of(&blanks.join("　"), "")
            );
        }
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let footer = match self.run.lang {
            Lang::Zh => format!(
                "{}{}{}{}{}",
                run_of("第 ", SMALL),
                field("PAGE"),
                run_of(" 页，共 ", SMALL),
                field("NUMPAGES"),
                run_of(" 页", SMALL)
            ),
            Lang::En => format!("{}{}{}", field("PAGE"), run_of(" / ", SMALL), field("NUMPAGES")),
        };
        let footer = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><w:ftr {NAMESPACES}><w:p><w:pPr><w:jc w:val=\"right\"/></w:pPr>{footer}</w:p></w:ftr>"
        );
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><w:document {NAMESPACES}><w:body>{}{SECTION}</w:body></w:document>",
            self.body
        );
        let parts = [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", RELATIONS),
            ("word/document.xml", &document),
            ("word/_rels/document.xml.rels", OF_DOCUMENT),
            ("word/styles.xml", STYLES),
            ("word/footer1.xml", &footer),
        ];
        // The same audits give the same bytes: no time of making is written into the archive.
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            archive.start_file(name, options).map_err(io::Error::other)?;
            archive.write_all(text.as_bytes())?;
        }
        Ok(archive.finish().map_err(io::Error::other)?.into_inner())
    }
}

const SMALL: &str = "<w:color w:val=\"555555\"/><w:sz w:val=\"16\"/>";

/// Text with the properties of its letters.
fn run_of(text: &str, properties: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<w:r><w:rPr>{properties}</w:rPr><w:t xml:space=\"preserve\">{}</w:t></w:r>", escaped(text))
}

fn field(name: &str) -> String {
    format!("<w:fldSimple w:instr=\" {name} \"><w:r><w:rPr>{SMALL}</w:rPr><w:t>1</w:t></w:r></w:fldSimple>")
}

/// What XML 1.0 may hold, its own marks escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}')
            }
            c => out.push(c),
        }
    }
    out
}

fn paragraph(line: &Line) -> String {
    let weight = if line.is_bold { "<w:b/>" } else { "" };
    let note = if line.note.is_empty() { String::new() } else { format!("　{}", line.note) };
    format!(
        "<w:p>{}{}{}{}</w:p>",
        run_of(&line.text.before, weight),
        run_of(&line.text.marked, "<w:b/><w:highlight w:val=\"yellow\"/>"),
        run_of(&line.text.after, weight),
        run_of(&note, SMALL)
    )
}

/// Labels and values, with rules around them.
fn table(rows: &[(String, String)]) -> String {
    let mut out = String::from(
        "<w:tbl><w:tblPr><w:tblW w:w=\"5000\" w:type=\"pct\"/><w:tblBorders><w:top w:val=\"single\" w:sz=\"4\"/><w:bottom w:val=\"single\" w:sz=\"4\"/><w:insideH w:val=\"single\" w:sz=\"2\" w:color=\"BBBBBB\"/></w:tblBorders><w:tblLayout w:type=\"fixed\"/></w:tblPr><w:tblGrid><w:gridCol w:w=\"1500\"/><w:gridCol w:w=\"8480\"/></w:tblGrid>",
    );
    for (label, value) in rows {
        let cell = |width: u32, text: String| {
            format!("<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/></w:tcPr><w:p>{text}</w:p></w:tc>")
        };
        let (label, value) = (cell(1500, run_of(label, "<w:b/>")), cell(8480, run_of(value, "")));
        // Writing to a string cannot fail.
        let _ = write!(out, "<w:tr><w:trPr><w:cantSplit/></w:trPr>{label}{value}</w:tr>");
    }
    out + "</w:tbl>"
}

impl ReportWriter for Docx {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        if audit.findings.is_empty() {
            self.page(&page::of(&self.run, &audit, None));
        }
        for finding in &audit.findings {
            self.page(&page::of(&self.run, &audit, Some(finding)));
        }
        Ok(())
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.skipped.push(skipped);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.skipped.is_empty() {
            let page = page::of_skipped(&self.run, &self.skipped);
            self.page(&page);
        }
        let bytes = self.bytes()?;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}
