//! Cases of RFC 9309 and of the questions that public suites for it ask, in words of our own.

use super::Ruled;

/// Whether `token` may ask `path` by this file.
fn allows(file: impl AsRef<[u8]>, token: &str, path: &str) -> bool {
    Ruled::read(file.as_ref(), token).allows(path)
}

const ALL: &str = "User-agent: *\n";

#[track_caller]
fn check(rules: &str, path: &str, allowed: bool) {
    assert_eq!(allows(format!("{ALL}{rules}"), "xunjian", path), allowed, "{rules:?} {path}");
}

#[test]
fn an_empty_file_and_one_of_noise_allow_everything() {
    for file in ["", "foo: xunjian\nbar: /\n", "<html><body>404</body></html>", "Disallow: /\n"] {
        assert!(allows(file, "xunjian", "/x"), "{file:?}");
    }
}

#[test]
fn lines_are_read_for_what_they_mean() {
    for file in [
        "user-agent: xunjian\ndisallow: /\n",
        "USER-AGENT: xunjian\nDISALLOW: /\n",
        "User-agent : xunjian\nDisallow : /",
        "user-agent xunjian\ndisallow /\n",
        "user-agent: xunjian\rdisallow: /\r",
        "user-agent: xunjian\r\n\r\ndisallow: /\r\n",
        "\u{feff}user-agent: xunjian\ndisallow: /",
        "useragent: xunjian\ndissallow: /",
        "user-agent: xunjian # us\ndisallow: /# all",
        "user-agent: xunjian/1.0\ndisallow: /",
        "user-agent: XunJian bot\ndisallow: /",
    ] {
        assert!(!allows(file, "xunjian", "/x"), "{file:?}");
    }
    let utf16: Vec<u8> = "\u{feff}User-agent: *\nDisallow: /b".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(!allows(utf16, "xunjian", "/b"));
}

#[test]
fn groups_address_whom_they_name() {
    let file = "allow: /foo/bar/\n\nuser-agent: foobot\ndisallow: /\nallow: /x/\nuser-agent: barbot\ndisallow: /\n\
                allow: /y/\n\nallow: /w/\nuser-agent: bazbot\n\nuser-agent: foobot\nallow: /z/\ndisallow: /\n";
    for (agent, open, shut) in [
        ("foobot", &["/x/b", "/z/d"][..], &["/y/c", "/foo/bar/"][..]),
        ("barbot", &["/y/c", "/w/a"], &["/z/d", "/foo/bar/"]),
        ("bazbot", &["/z/d"], &["/x/b", "/y/c", "/foo/bar/"]),
    ] {
        open.iter().for_each(|path| assert!(allows(file, agent, path), "{agent} {path}"));
        shut.iter().for_each(|path| assert!(!allows(file, agent, path), "{agent} {path}"));
    }
    // Groups of one agent are one; a part of a name is no name.
    let twice = "user-agent: *\ndisallow: /a\n\nuser-agent: *\ndisallow: /b\n\nuser-agent: xunjianbot\nallow: /a\n";
    assert!(!allows(twice, "xunjian", "/a") && !allows(twice, "xunjian", "/b"));
    // Whoever is named has no part in the rules for all, even with no rule of its own.
    let own = "user-agent: *\ndisallow: /\n\nuser-agent: xunjian\n";
    assert!(allows(own, "xunjian", "/x") && !allows(own, "other", "/x"));
    let own = "user-agent: *\ndisallow:\n\nuser-agent: xunjian\ndisallow: /";
    assert!(!allows(own, "xunjian", "/x") && allows(own, "other", "/x"));
}

#[test]
fn other_lines_do_not_end_a_group() {
    for between in ["Sitemap: https://a.example/s.xml", "Crawl-delay: 1", "Host: a.example", "nonsense"] {
        let file = format!("user-agent: foo\n{between}\nuser-agent: *\n{between}\ndisallow: /b\n");
        assert!(!allows(&file, "foo", "/b") && !allows(&file, "xunjian", "/b"), "{between}");
    }
}

#[test]
fn the_longest_rule_counts_and_of_two_as_long_the_one_that_allows() {
    check("disallow: /x/page.html\nallow: /x/\n", "/x/page.html", false);
    check("disallow: /x/\nallow: /x/page.html\n", "/x/page.html", true);
    check("disallow: \nallow: ", "/x", true);
    check("disallow: /\nallow: /", "/x", true);
    check("disallow: /x\nallow: /x/", "/x", false);
    check("disallow: /x\nallow: /x/", "/x/", true);
    check("allow: /page\ndisallow: /*.html", "/page.html", false);
    check("allow: /x/page.\ndisallow: /*.html", "/x/page.html", true);
    check("allow: /x/page.\ndisallow: /*.html", "/x/y.html", false);
    check("disallow: /\nallow: /n", "/n", true);
    check("disallow: /\nallow: /n", "/", false);
    check("disallow: /\nallow:", "/p", false);
    check("disallow: /X/", "/x/y", true);
    check("disallow: /", "/robots.txt", true);
}

#[test]
fn prefixes_stars_and_dollars() {
    for (rule, hits, misses) in [
        ("/fish", &["/fish", "/fish.html", "/fish/s", "/fishheads", "/fish.php?id=1"][..], &["/Fish", "/catfish"][..]),
        ("/fish*", &["/fish", "/fishheads/y.html", "/fish.php?id=1"], &["/Fish.asp", "/?id=fish"]),
        ("/fish/", &["/fish/", "/fish/?id=1", "/fish/s.htm"], &["/fish", "/fish.html", "/Fish/"]),
        ("/*.php", &["/f.php", "/a/f.php?p=1", "/a/any.php.file", "/f.php/"], &["/", "/windows.PHP"]),
        ("/*.php$", &["/f.php", "/a/f.php"], &["/f.php?p=1", "/f.php/", "/f.php5"]),
        ("/fish*.php", &["/fish.php", "/fishheads/c.php?p=1"], &["/Fish.PHP"]),
        ("/foo/bar/*/qux", &["/foo/bar/quz/qux", "/foo/bar//qux", "/foo/bar/a/b/qux"], &["/foo/bar/qux"]),
        ("/foo/*/qux", &["/foo/bar/qux", "/foo//quxx"], &["/foo/qux"]),
        ("/foo/bar$", &["/foo/bar"], &["/foo/bar/qux", "/foo/bar/"]),
        ("/*?sort=", &["/x?sort=1"], &["/x?a=1"]),
        ("/a$b", &["/a$b", "/a%24b"], &["/a"]),
        ("/$", &["/"], &["/a"]),
        ("*a", &["/a", "/xya"], &["/b"]),
    ] {
        for path in hits {
            check(&format!("disallow: {rule}"), path, false);
        }
        for path in misses {
            check(&format!("disallow: {rule}"), path, true);
        }
    }
}

#[test]
fn octets_are_compared_in_one_form() {
    // RFC 9309, 2.2.2, its table.
    for (rule, path) in [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"),
        ("/foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/foo/bar/baz", "/foo/bar/%62%61%7A"),
        ("/%e6%90%9c", "/%E6%90%9C%E7%B4%A2"),
        ("/a%2fb", "/a%2Fb"),
        // RFC 9309, 2.2.3: signs of rules meant as they stand.
        ("/file-with-a-%2A.html", "/file-with-a-*.html"),
        ("/foo-%24", "/foo-$"),
        ("/%7Euser", "/~user"),
        ("/*to=https://foo", "/go?to=https://foo.bar"),
    ] {
        check(&format!("disallow: {rule}"), path, false);
    }
    for (rule, path) in [("/a%2Fb", "/a/b"), ("/a/b", "/a%2Fb"), ("/a%2Ab", "/axb"), ("/50%", "/50"), ("/a%zz", "/a")] {
        check(&format!("disallow: {rule}"), path, true);
    }
    let gbk = [ALL.as_bytes(), b"Disallow: /\xcb\xd1\xcb\xf7"].concat();
    assert!(!allows(gbk, "xunjian", "/%CB%D1%CB%F7?q=1"));
}

#[test]
fn long_lines_and_stars_without_end() {
    let long = format!("disallow: /b{}\ndisallow: /c\n", "x".repeat(3000));
    check(&long, "/c", false);
    check(&long, "/b", true);
    let cut = format!("allow: /b{}\ndisallow: /b\n", "x".repeat(20_000));
    check(&cut, &format!("/b{}", "x".repeat(20_000)), false);
    let begun = std::time::Instant::now();
    let stars = format!("disallow: /*{}b\n", "a".repeat(200)).repeat(300);
    // Too intricate to tell: not asked.
    assert!(!allows(format!("{ALL}{stars}"), "xunjian", &format!("/{}", "a".repeat(4_000))));
    assert!(allows(format!("{ALL}{stars}"), "xunjian", "/aab"));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    check(&format!("disallow: /{}\ndisallow: /c", "*a".repeat(200)), "/c", false);
}

#[test]
fn delays_are_those_of_our_group() {
    let file = b"user-agent: *\ncrawl-delay: 2.5\n\nuser-agent: foo\ncrawl-delay: 9\ndisallow: /x\n";
    assert_eq!(Ruled::read(file, "foo").delay, Some(9.0));
    assert_eq!(Ruled::read(b"user-agent: *\ncrawl-delay: 2.5\ndisallow: /x", "xunjian").delay, Some(2.5));
    assert_eq!(Ruled::read(b"user-agent: *\ncrawl-delay: soon\ndisallow: /x", "xunjian").delay, None);
}
