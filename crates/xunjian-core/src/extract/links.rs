//! Deep links of an intent filter.
//!
//! The `<data>` elements of one filter are sets, crossed: three elements with a scheme, a
//! host and a path are one link, and two schemes with two hosts are four
//! (<https://developer.android.com/guide/topics/manifest/data-element>). A path may be given
//! whole, by its beginning, its end or a pattern; any of them shows where the link leads.

use std::collections::BTreeSet;

use apk_info_xml::Element;

/// Attributes with a path, and what stands before it where it is only an end.
const PATHS: &[(&str, &str)] =
    &[("path", ""), ("pathPrefix", ""), ("pathPattern", ""), ("pathAdvancedPattern", ""), ("pathSuffix", "/.*")];
/// Attributes with what follows a path since Android 15 (`<uri-relative-filter-group>`), and the sign
/// before it.
const RELATIVE: &[(&str, char)] = &[("query", '?'), ("fragment", '#')];
const FORMS: &[&str] = &["", "Prefix", "Pattern", "AdvancedPattern", "Suffix"];
/// Attributes with what follows the colon of `mailto:` and its like.
const SPECIFIC: &[&str] = &["ssp", "sspPrefix", "sspPattern", "sspAdvancedPattern", "sspSuffix"];
/// Members taken of one set, and links of one filter: no app has as many by intent.
const SET_MAX: usize = 200;
const LINKS_MAX: usize = 1_000;

/// The links of a filter. `text_of` gives the text of an attribute, references followed.
pub(super) fn of_filter(filter: &Element, text_of: &dyn Fn(&str) -> String) -> Vec<String> {
    let (mut schemes, mut hosts, mut paths, mut specific) =
        (Set::default(), Set::default(), Set::default(), Set::default());
    for data in filter.descendants().filter(|element| element.name() == "data").take(SET_MAX * 4) {
        let get = |name: &str| data.attr(name).filter(|value| !value.is_empty()).map(text_of);
        schemes.add(get("scheme"));
        let port = get("port").map(|port| format!(":{port}")).unwrap_or_default();
        hosts.add(get("host").map(|host| host + &port));
        PATHS.iter().for_each(|(name, before)| paths.add(get(name).map(|path| format!("{before}{path}"))));
        for (name, sign) in RELATIVE {
            FORMS.iter().for_each(|form| paths.add(get(&format!("{name}{form}")).map(|said| format!("{sign}{said}"))));
        }
        SPECIFIC.iter().for_each(|name| specific.add(get(name)));
    }
    let schemes = schemes.or_nothing();
    let mut links = Vec::new();
    for scheme in &schemes {
        links.extend(specific.members.iter().map(|said| format!("{scheme}:{said}")));
    }
    // What follows the colon leaves no room for a host.
    if !specific.members.is_empty() && hosts.members.is_empty() {
        links.truncate(LINKS_MAX);
        return links;
    }
    let (hosts, paths) = (hosts.or_nothing(), paths.or_nothing());
    for scheme in &schemes {
        for host in &hosts {
            for path in &paths {
                let link = format!("{scheme}://{host}{path}");
                if link.len() > "://".len() && links.len() < LINKS_MAX {
                    links.push(link);
                }
            }
        }
    }
    links
}

/// Values in the order they were met, each once.
#[derive(Default)]
struct Set {
    members: Vec<String>,
    seen: BTreeSet<String>,
}

impl Set {
    fn add(&mut self, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && self.members.len() < SET_MAX
            && self.seen.insert(value.clone())
        {
            self.members.push(value);
        }
    }

    /// The members, or one that says nothing.
    fn or_nothing(self) -> Vec<String> {
        if self.members.is_empty() { vec![String::new()] } else { self.members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(data: &[&[(&str, &str)]]) -> Vec<String> {
        let mut filter = Element::new("intent-filter");
        for attributes in data {
            let mut element = Element::new("data");
            attributes.iter().for_each(|(name, value)| element.set_attribute(name, value));
            filter.append_child(element);
        }
        of_filter(&filter, &|value| value.replace("@string/h", "gamecenter"))
    }

    #[test]
    fn the_elements_of_a_filter_are_crossed() {
        assert_eq!(links(&[&[("scheme", "lexue"), ("host", "@string/h")]]), ["lexue://gamecenter"]);
        let apart: &[&[(&str, &str)]] =
            &[&[("scheme", "https")], &[("host", "m.example.cn"), ("port", "8443")], &[("path", "/gamecenter")]];
        assert_eq!(links(apart), ["https://m.example.cn:8443/gamecenter"]);
        let crossed: &[&[(&str, &str)]] =
            &[&[("scheme", "http")], &[("scheme", "https")], &[("host", "a")], &[("host", "b")]];
        assert_eq!(links(crossed), ["http://a", "http://b", "https://a", "https://b"]);
    }

    #[test]
    fn a_path_in_every_way() {
        for (name, value, path) in [
            ("path", "/game", "/game"),
            ("pathPrefix", "/game", "/game"),
            ("pathPattern", "/game/.*", "/game/.*"),
            ("pathAdvancedPattern", "/game/[0-9]+", "/game/[0-9]+"),
            ("pathSuffix", ".game", "/.*.game"),
        ] {
            let link = links(&[&[("scheme", "https"), ("host", "m.example.cn"), (name, value)]]);
            assert_eq!(link, [format!("https://m.example.cn{path}")], "{name}");
        }
        let asked = links(&[&[("scheme", "https"), ("host", "m.example.cn"), ("queryPrefix", "page=game")]]);
        assert_eq!(asked, ["https://m.example.cn?page=game"]);
        assert_eq!(links(&[&[("scheme", "mailto"), ("ssp", "a@example.cn")]])[0], "mailto:a@example.cn");
        assert!(links(&[&[("mimeType", "image/png")]]).is_empty());
    }
}
