//! The rules of a robots.txt, read and matched as RFC 9309 says.
//!
//! Both sides of a comparison are brought to one form first (RFC 9309, 2.2.2): what need not be
//! percent-encoded is not, what is encoded has no case. `%2F` is no `/`, but in a query, where neither
//! delimits anything, both are the same.

/// Steps of matching that one address may cost. A file of 500 KiB made of stars would cost far more; it
/// then forbids, because nobody knows.
const STEPS_MAX: usize = 5_000_000;
/// Bytes of a rule. Longer ones are cut; what is cut forbids more, or allows less.
const RULE_MAX: usize = 8 << 10;
/// Longest delay taken from a file: longer ones are capped by whoever keeps it.
const DELAY_MAX: f64 = 86_400.0;

/// The rules that hold for us.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::acquire) struct Ruled {
    rules: Vec<Rule>,
    /// Seconds between requests that the file asks for.
    pub(in crate::acquire) delay: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    allows: bool,
    pattern: Vec<Mark>,
    /// It ends where the address ends.
    is_anchored: bool,
    /// Octets of the rule as written: of the rules that match, the longest counts.
    length: usize,
}

/// One octet of a path, or a star of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Plain(u8),
    Encoded(u8),
    /// Of an address: within a query, where it delimits nothing.
    Either(u8),
    Star,
}

impl Mark {
    /// Whether an octet of an address is the one that a rule asks for.
    fn fits(self, of_path: Self) -> bool {
        match (self, of_path) {
            (Self::Plain(a) | Self::Encoded(a), Self::Either(b)) => a == b,
            _ => self == of_path,
        }
    }
}

/// What a line says.
enum Line {
    Agent(Vec<u8>),
    Rule(bool, Vec<u8>),
    Delay(f64),
    Other,
}

/// A group under construction: whom it addresses.
#[derive(Default)]
struct Group {
    ours: bool,
    all: bool,
    /// A rule was met: the next agent begins another group.
    is_closed: bool,
}

impl Ruled {
    /// Reads the rules for the product token `token`.
    pub(super) fn read(body: &[u8], token: &str) -> Self {
        let body = text_of(body);
        let (mut ours, mut all) = (Self::default(), Self::default());
        let (mut is_addressed, mut group) = (false, Group::default());
        for line in body.split(|b| matches!(b, b'\n' | b'\r')) {
            match line_of(line) {
                Line::Agent(agent) => {
                    if group.is_closed {
                        group = Group::default();
                    }
                    group.all |= is_everyone(&agent);
                    let is_ours = product(&agent).eq_ignore_ascii_case(token.as_bytes());
                    group.ours |= is_ours;
                    is_addressed |= is_ours;
                }
                Line::Rule(allows, path) => {
                    group.is_closed = true;
                    let Some(rule) = Rule::new(allows, &path) else { continue };
                    ours.rules.extend(group.ours.then(|| rule.clone()));
                    all.rules.extend(group.all.then_some(rule));
                }
                Line::Delay(seconds) => {
                    let slower = |old: Option<f64>| Some(old.map_or(seconds, |old| old.max(seconds)));
                    ours.delay = if group.ours { slower(ours.delay) } else { ours.delay };
                    all.delay = if group.all { slower(all.delay) } else { all.delay };
                }
                Line::Other => {}
            }
        }
        if is_addressed { ours } else { all }
    }

    /// Whether an address may be asked, by its path and query.
    pub(super) fn allows(&self, path: &str) -> bool {
        // RFC 9309, 2.2.2: the file itself is always allowed.
        if path == "/robots.txt" {
            return true;
        }
        let path = marks(path.as_bytes(), false);
        let mut steps = STEPS_MAX;
        let mut best: Option<(usize, bool)> = None;
        for rule in &self.rules {
            if best.is_some_and(|(length, allows)| length > rule.length || (length == rule.length && allows)) {
                continue;
            }
            match rule.matches(&path, &mut steps) {
                // Of two as long, the one that allows counts.
                Some(true) => best = Some((rule.length, rule.allows)),
                Some(false) => {}
                None => return false,
            }
        }
        best.is_none_or(|(_, allows)| allows)
    }
}

impl Rule {
    /// A rule; none where the path is empty.
    fn new(allows: bool, path: &[u8]) -> Option<Self> {
        let length = path.len();
        let path = &path[..length.min(RULE_MAX)];
        let is_anchored = path.ends_with(b"$") && length <= RULE_MAX;
        let inner = if is_anchored { &path[..path.len() - 1] } else { path };
        if length > RULE_MAX && allows || length == 0 {
            return None;
        }
        Some(Self { allows, pattern: marks(inner, true), is_anchored, length })
    }

    /// Whether it matches; nothing when that takes too long to tell.
    fn matches(&self, path: &[Mark], steps: &mut usize) -> Option<bool> {
        let (mut at, mut star) = (0, None::<(usize, usize)>);
        let mut of = 0;
        loop {
            *steps = steps.checked_sub(1)?;
            if of == self.pattern.len() && (!self.is_anchored || at == path.len()) {
                return Some(true);
            }
            match self.pattern.get(of) {
                Some(Mark::Star) => {
                    star = Some((of, at));
                    of += 1;
                    continue;
                }
                Some(mark) if path.get(at).is_some_and(|octet| mark.fits(*octet)) => {
                    (of, at) = (of + 1, at + 1);
                    continue;
                }
                _ => {}
            }
            // The last star takes in one octet more; earlier ones need never be tried again.
            match star {
                Some((star_of, star_at)) if star_at < path.len() => {
                    star = Some((star_of, star_at + 1));
                    (of, at) = (star_of + 1, star_at + 1);
                }
                _ => return Some(false),
            }
        }
    }
}

/// The file as octets of UTF-8. RFC 9309 knows no other charset; a mark that says UTF-16 is believed,
/// because what such a file forbids is plain.
fn text_of(body: &[u8]) -> Vec<u8> {
    match encoding_rs::Encoding::for_bom(body) {
        Some((encoding, skip)) if encoding == encoding_rs::UTF_8 => body[skip..].to_vec(),
        Some((encoding, _)) => encoding.decode(body).0.into_owned().into_bytes(),
        None => body.to_vec(),
    }
}

fn line_of(line: &[u8]) -> Line {
    let line = line.split(|b| *b == b'#').next().unwrap_or_default();
    let Some((key, value)) = key_and_value(line) else { return Line::Other };
    let key = key.to_ascii_lowercase();
    match key.as_slice() {
        b"user-agent" | b"useragent" | b"user agent" => Line::Agent(value.to_vec()),
        b"allow" => Line::Rule(true, value.to_vec()),
        // How it is misspelt in files that mean it.
        b"disallow" | b"dissallow" | b"dissalow" | b"disalow" | b"diasllow" | b"disallaw" => {
            Line::Rule(false, value.to_vec())
        }
        b"crawl-delay" | b"crawldelay" => {
            let seconds = std::str::from_utf8(value).ok().and_then(|v| v.parse::<f64>().ok());
            seconds.filter(|s| s.is_finite() && *s >= 0.0).map_or(Line::Other, |s| Line::Delay(s.min(DELAY_MAX)))
        }
        _ => Line::Other,
    }
}

/// Name and value of a line; a line of two words counts as well where the colon is missing.
fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(at) = line.iter().position(|b| *b == b':') {
        return Some((line[..at].trim_ascii(), line[at + 1..].trim_ascii()));
    }
    let line = line.trim_ascii();
    let at = line.iter().position(u8::is_ascii_whitespace)?;
    let value = line[at..].trim_ascii();
    (!value.iter().any(u8::is_ascii_whitespace)).then_some((&line[..at], value))
}

fn is_everyone(agent: &[u8]) -> bool {
    agent.first() == Some(&b'*') && agent.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// The product token that a value begins with: what follows it, a version say, is not part of it.
fn product(agent: &[u8]) -> &[u8] {
    let end = agent.iter().position(|b| !(b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')));
    &agent[..end.unwrap_or(agent.len())]
}

/// The octets of a path in the one form. A star or dollar that is no sign of a rule is as if encoded.
fn marks(path: &[u8], is_rule: bool) -> Vec<Mark> {
    let mut out = Vec::with_capacity(path.len());
    let (mut at, mut is_query) = (0, false);
    while let Some(&byte) = path.get(at) {
        let decoded = if byte == b'%' { hex(path.get(at + 1..at + 3)) } else { None };
        at += if decoded.is_some() { 3 } else { 1 };
        out.push(match decoded {
            Some(octet) if is_unreserved(octet) => Mark::Plain(octet),
            Some(octet) if is_query && !is_rule && is_delimiter(octet) => Mark::Either(octet),
            Some(octet) => Mark::Encoded(octet),
            None if byte == b'*' && is_rule => Mark::Star,
            None if matches!(byte, b'*' | b'$') || !byte.is_ascii() => Mark::Encoded(byte),
            // RFC 9309, 2.2.2: `?baz=https://foo.bar` is `?baz=https%3A%2F%2Ffoo.bar`.
            None if is_query && !is_rule && is_delimiter(byte) => Mark::Either(byte),
            None => Mark::Plain(byte),
        });
        is_query |= byte == b'?';
    }
    out
}

fn hex(digits: Option<&[u8]>) -> Option<u8> {
    let digits = std::str::from_utf8(digits?).ok()?;
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// What delimits in an address but not within its query.
fn is_delimiter(octet: u8) -> bool {
    matches!(octet, b':' | b'/' | b'[' | b']' | b'@')
}

/// RFC 3986, 2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests;
