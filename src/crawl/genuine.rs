//! Is this the app's page? Captchas, logins, interstitials, pages that only lead elsewhere and pages that say
//! "not found" with status 200 are told from it by what they are made of, and then by what they say. What an app
//! says of itself is no sign: a page with facts of an app on it is the app's.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::page::Page;
use super::select::regex;
use crate::model::Listing;
use crate::model::fetch::Outcome;

/// A page that says no more than this, in characters, is not one that shows an app.
const BARE: usize = 400;
/// Characters of a heading around the phrase that makes it one of another page.
const AROUND: usize = 14;
/// Seconds after which a page that refreshes itself leads elsewhere, rather than keeping fresh.
const REFRESH_MAX: f64 = 15.0;
/// Bytes of scripts in a page that only leads elsewhere.
const SCRIPTS_MAX: usize = 8 << 10;

/// What a page is instead of the app's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Instead {
    /// It leads there.
    Moved(Url),
    /// It is something else: the outcome, and what it is in words.
    Other(Outcome, &'static str),
}

/// Phrases by what they make a page.
const SIGNS: &[(Outcome, &str, &[&str])] = &[
    (
        Outcome::Throttled,
        "a captcha or a page that asks for patience",
        &[
            "just a moment",
            "checking your browser",
            "verify you are human",
            "verifying you are human",
            "are you a robot",
            "not a robot",
            "attention required",
            "unusual traffic",
            "too many requests",
            "ddos protection",
            "security check",
            "enable javascript and cookies",
            "captcha",
            "访问验证",
            "安全验证",
            "人机验证",
            "滑动验证",
            "身份验证",
            "验证码",
            "拖动滑块",
            "拖动下方滑块",
            "访问过于频繁",
            "操作过于频繁",
            "请求过于频繁",
            "请稍后再试",
            "系统繁忙",
        ],
    ),
    (
        Outcome::Delisted,
        "a page that says the app was taken down",
        &["已下架", "下架了", "no longer available", "has been removed"],
    ),
    (
        Outcome::NotFound,
        "a page that says there is no such app",
        &[
            "404",
            "not found",
            "page doesn't exist",
            "does not exist",
            "页面不存在",
            "网页不存在",
            "页面未找到",
            "页面没找到",
            "找不到页面",
            "找不到该页面",
            "应用不存在",
            "找不到该应用",
            "内容不存在",
            "页面走丢",
            "页面丢失",
            "您访问的页面",
        ],
    ),
    (
        Outcome::LoginWanted,
        "a page that asks to log in",
        &["登录", "登陆", "请登录", "log in", "login", "sign in", "统一身份认证"],
    ),
    (
        Outcome::AdapterBroken,
        "a page that asks for consent",
        &["before you continue", "cookie consent", "we value your privacy", "同意并继续", "cookie 设置"],
    ),
    (
        Outcome::AdapterBroken,
        "a page that only leads elsewhere, nobody can tell where to",
        &["正在跳转", "跳转中", "页面跳转", "redirecting", "正在加载", "加载中", "loading", "please wait", "请稍候"],
    ),
];

/// What a page is, if it is not the app's. `listing` is what was read of it; `is_lacking`: not all that must be.
pub(super) fn instead(page: &Page<'_>, listing: &Listing, is_lacking: bool) -> Option<Instead> {
    if !page.is_html() || page.is_large() || (!is_lacking && has_facts(page, listing)) {
        return None;
    }
    let visible = page.visible();
    let is_bare = visible.chars().filter(|c| !c.is_whitespace()).count() < BARE;
    let says_nothing = is_lacking || listing.description.is_empty();
    if (is_bare || says_nothing)
        && let Some(url) = leads_to(page, is_bare)
    {
        return Some(Instead::Moved(url));
    }
    let headings = headings(page, listing);
    let in_heading = |phrase: &str| headings.iter().any(|heading| is_heading(heading, phrase));
    let bare = if is_bare && says_nothing { visible.to_lowercase() } else { String::new() };
    let found = SIGNS.iter().find(|(_, _, phrases)| phrases.iter().any(|phrase| in_heading(phrase)));
    // In the text a word such as 登录 is on every page; only what no app's page says counts there.
    let in_text = || SIGNS[..3].iter().find(|(_, _, phrases)| phrases.iter().any(|p| p.len() > 4 && bare.contains(p)));
    let (outcome, what, _) = found.or_else(in_text)?;
    Some(Instead::Other(*outcome, what))
}

/// The page tells of an app what only an app has.
fn has_facts(page: &Page<'_>, listing: &Listing) -> bool {
    let named = names(page.text().as_bytes(), &listing.package);
    let told = [&listing.version_name, &listing.download_url, &listing.developer].iter().any(|text| !text.is_empty());
    (named || told || page.has_app()) && !listing.title.is_empty()
}

/// A package stands in a page for itself: not as part of an address, which the page's own may be.
pub(super) fn names(text: &[u8], package: &str) -> bool {
    let in_address = |at: usize| at > 0 && b"=/&?%:".contains(&text[at - 1]);
    !package.is_empty() && memchr::memmem::find_iter(text, package.as_bytes()).any(|at| !in_address(at))
}

fn is_heading(heading: &str, phrase: &str) -> bool {
    heading.contains(phrase) && heading.chars().count() <= phrase.chars().count() + AROUND
}

/// What the page calls itself.
fn headings(page: &Page<'_>, listing: &Listing) -> Vec<String> {
    let mut found = vec![listing.title.clone()];
    for name in ["title", "h1", "h2"] {
        if let (Ok(selector), Ok(html)) = (scraper::Selector::parse(name), page.html()) {
            found.extend(html.select(&selector).take(3).map(|element| element.text().collect::<String>()));
        }
    }
    found.iter().map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()).collect()
}

/// Where a page leads that does nothing else.
fn leads_to(page: &Page<'_>, is_bare: bool) -> Option<Url> {
    let (own, base) = (Url::parse(&page.answer.url).ok()?, Url::parse(page.base()).ok()?);
    let to = refresh(page).or_else(|| if is_bare { script(page) } else { None })?;
    let mut url = base.join(to.trim()).ok()?;
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url != own).then_some(url)
}

/// `<meta http-equiv="refresh" content="0; url=…">`.
fn refresh(page: &Page<'_>) -> Option<String> {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r#"(?i)^\s*([\d.]+)\s*[;,]?\s*url\s*=\s*["']?([^"']+)["']?\s*$"#).ok());
    let selector = scraper::Selector::parse("meta[http-equiv][content]").ok()?;
    let is_refresh = |meta: &scraper::ElementRef<'_>| {
        meta.value().attr("http-equiv").is_some_and(|name| name.trim().eq_ignore_ascii_case("refresh"))
    };
    let meta = page.html().ok()?.select(&selector).find(is_refresh)?;
    let form = FORM.as_ref()?.captures(meta.value().attr("content")?)?;
    let seconds: f64 = form[1].parse().ok()?;
    (seconds <= REFRESH_MAX).then(|| form[2].to_owned())
}

/// The address that a page's only purpose is to go to.
fn script(page: &Page<'_>) -> Option<String> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        regex(
            r#"(?:^|[\s;{(])(?:(?:window|document|self|top|parent)\.)?location(?:\.href)?\s*=\s*["']([^"'\s]+)["']|location\.(?:replace|assign)\(\s*["']([^"'\s]+)["']"#,
        )
        .ok()
    });
    let selector = scraper::Selector::parse("script").ok()?;
    let scripts: String = page.html().ok()?.select(&selector).flat_map(|script| script.text()).collect();
    if scripts.len() > SCRIPTS_MAX {
        return None;
    }
    let form = FORM.as_ref()?.captures(&scripts)?;
    form.get(1).or_else(|| form.get(2)).map(|to| to.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fetch::Answer;

    fn told(body: &str, listing: &Listing, is_lacking: bool) -> Option<Instead> {
        let (url, body) = ("https://store.example/app/1".to_owned(), body.as_bytes().to_vec());
        let answer = Answer { url, body, status: 200, ..Answer::default() };
        instead(&Page::new(&answer, &[], None), listing, is_lacking)
    }

    fn titled(title: &str) -> Listing {
        Listing { title: title.into(), ..Listing::default() }
    }

    #[test]
    fn pages_that_are_no_apps_are_told_apart() {
        for (title, outcome) in [
            ("Just a moment...", Outcome::Throttled),
            ("安全验证", Outcome::Throttled),
            ("404 页面不存在", Outcome::NotFound),
            ("该应用已下架", Outcome::Delisted),
            ("登录 - 某商店", Outcome::LoginWanted),
            ("Before you continue to Store", Outcome::AdapterBroken),
            ("正在跳转", Outcome::AdapterBroken),
        ] {
            let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
            let instead = told(&body, &titled(title), false);
            assert!(matches!(instead, Some(Instead::Other(is, _)) if is == outcome), "{title}: {instead:?}");
        }
        // A description that the whole site shares makes no app of it.
        let mut shared = titled("404 Not Found");
        shared.description = "最好的应用商店".into();
        assert!(told("<title>404 Not Found</title><p>最好的应用商店", &shared, false).is_some());
        let bare = "<body>亲，请拖动下方滑块完成验证</body>";
        assert!(matches!(told(bare, &Listing::default(), true), Some(Instead::Other(Outcome::Throttled, _))));
    }

    #[test]
    fn an_apps_own_words_are_no_sign() {
        let mut app = titled("滑动验证助手");
        app.package = "cn.example.slide".into();
        app.description = "支持滑动验证登录，404 页面不存在也能打开".into();
        let body = format!("<title>滑动验证</title><body data-pn='cn.example.slide'>{}</body>", app.description);
        assert_eq!(told(&body, &app, false), None);
        let mut plain = titled("404 Not Found Games: the long adventure of a lost page");
        plain.description = "a game".into();
        assert_eq!(told("<title>A store</title><p>a game", &plain, false), None);
        assert_eq!(told("{\"title\":\"登录\"}", &titled("登录"), false), None, "no page");
    }

    #[test]
    fn pages_that_lead_elsewhere_name_where() {
        let moved = |body: &str| match told(body, &titled("正在跳转"), false) {
            Some(Instead::Moved(url)) => url.to_string(),
            other => format!("{other:?}"),
        };
        for body in [
            "<meta http-equiv=refresh content='0; url=/real?id=a'>",
            "<META HTTP-EQUIV=\"Refresh\" CONTENT=\"3;URL='/real?id=a'\">",
            "<script>location.href=\"/real?id=a\"</script>",
            "<script>var x=1; window.location = '/real?id=a';</script>",
            "<script>top.location.replace(\"/real?id=a\")</script>",
        ] {
            assert_eq!(moved(body), "https://store.example/real?id=a", "{body}");
        }
        for body in [
            "<meta http-equiv=refresh content=300>",
            "<meta http-equiv=refresh content='600; url=/real'>",
            "<meta http-equiv=refresh content='0; url=javascript:alert(1)'>",
            "<script>if(location.href=='x'){}</script>",
        ] {
            assert!(!moved(body).starts_with("http"), "{body}");
        }
        // An app's page may set itself anew for phones.
        let mut app = titled("题山");
        app.developer = "示例".into();
        app.description = "学习".into();
        assert_eq!(told("<script>if(m)location.href='/m'</script><h1>题山", &app, false), None);
    }
}
