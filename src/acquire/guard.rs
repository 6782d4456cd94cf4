//! Which addresses may be connected to.
//!
//! A store's page may name any address, ours included; so nothing but the public internet is
//! reached unless `allow-private` is set. Ranges: IANA's registries of special-purpose IPv4 and
//! IPv6 addresses (RFC 6890 and its updates), read 2025.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not `http` or `https`, or no host, or a name and password in it.
    #[error("not an address that is fetched: {0}")]
    Form(&'static str),
    /// An address that is not on the public internet.
    #[error("{0} is not a public address; `allow-private` lets it through")]
    Private(IpAddr),
    /// A name of a network of one's own.
    #[error("{0} is no name of the public internet; `allow-private` lets it through")]
    LocalName(String),
    /// A name that cannot be looked up, so that nobody can say where a proxy would go.
    #[error(
        "{name} cannot be looked up here, so it is not asked for through the proxy: {why}; `proxy-resolves` leaves that to the proxy"
    )]
    Unresolved {
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
    /// A name none of whose addresses is public.
    #[error("{name} resolves to no public address (one of them is {address}); `allow-private` lets it through")]
    Name {
        /// The name.
        name: String,
        /// One of its addresses.
        address: IpAddr,
    },
}

/// Checks an address before it is asked, on the first request and on every redirect. Names are
/// checked when they are resolved; literals never reach a resolver, so they are checked here.
///
/// # Errors
/// When it must not be asked.
pub fn check(url: &Url, allow_private: bool) -> Result<(), Refused> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Form("neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Form("a user name in the address"));
    }
    let address = match url.host() {
        None => return Err(Refused::Form("no host")),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
        Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
    };
    if allow_private || is_public(address) { Ok(()) } else { Err(Refused::Private(address)) }
}

/// Endings of names that no public server has: RFC 2606, RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC
/// 9476, ICANN's resolution of 2024 on `.internal` and of 2018 on `.corp`, `.home` and `.mail`; and what
/// home routers and companies use without asking.
const LOCAL: [&str; 17] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intra",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "test",
    "workgroup",
];

/// Checks a name that somebody else will look up, by itself: whether it can be one of the public internet.
///
/// # Errors
/// When it has a single part, or ends as names of private networks do.
pub(super) fn check_name(name: &str) -> Result<(), Refused> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit_once('.').map(|(_, last)| last);
    if last.is_none_or(|last| LOCAL.contains(&last)) { Err(Refused::LocalName(name)) } else { Ok(()) }
}

/// Whether an address is on the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// First address and prefix length of what is not public.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, cloud metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let bits = v4.to_bits();
    !SPECIAL_V4.iter().any(|(net, length)| (bits ^ net.to_bits()) >> (32 - length) == 0)
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match (a, b) {
        // IPv4 in IPv6 is what it carries.
        (0, 0) if [c, d, e] == [0, 0, 0] && f == 0xffff => is_public_v4(v4(g, h)),
        (0x0064, 0xff9b) if [c, d, e, f] == [0, 0, 0, 0] => is_public_v4(v4(g, h)), // NAT64
        (0x2002, _) => is_public_v4(v4(b, c)),                                      // 6to4
        (0x2001, 0x0000..=0x01ff | 0x0db8) => false, // protocol assignments, Teredo, documentation
        (0x3fff, 0x0000..=0x0fff) => false,          // documentation
        _ => a & 0xe000 == 0x2000,                   // global unicast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> bool {
        check(&Url::parse(&format!("http://{address}/x")).unwrap(), false).is_err()
    }

    #[test]
    fn special_addresses_are_refused_in_every_notation() {
        for address in [
            // plain
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.8",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "198.19.255.255",
            "192.88.99.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // octal, hexadecimal, decimal, short, full-width, percent-encoded
            "0177.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "127.1",
            "017700000001",
            "0xa9fea9fe",
            "127.0.0.1.",
            "１２７.０.０.１",
            "%31%32%37.0.0.1",
            "127。0。0。1",
            // IPv6
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2001::1]",
            "[2001:20::1]",
            "[3fff::1]",
            "[100::1]",
            "[64:ff9b:1::1]",
            "[5f00::1]",
            "[fec0::1]",
            // IPv4 inside IPv6
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:7f00:1::]",
            "[2002:c0a8:101::1]",
        ] {
            assert!(refused(address), "{address}");
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for address in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::1]",
            "[2001:4860::8888]",
            "store.example",
        ] {
            assert!(!refused(address), "{address}");
        }
    }

    #[test]
    fn names_of_private_networks_are_refused_by_themselves() {
        for name in [
            "localhost",
            "LOCALHOST.",
            "intranet",
            "metadata.google.internal",
            "a.corp",
            "printer.local",
            "x.lan",
            "router.home.arpa",
            "a.onion",
            "a.localhost",
            "wpad.localdomain.",
            "",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for name in ["store.example", "a.b.cn", "appgallery.example.", "internal.example"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn other_schemes_and_credentials_are_refused_always() {
        for url in
            ["file:///etc/passwd", "ftp://a.example/", "http://user:pw@a.example/", "data:text/plain,x", "gopher://a/"]
        {
            assert!(check(&Url::parse(url).unwrap(), true).is_err(), "{url}");
        }
        assert!(check(&Url::parse("http://127.0.0.1:8080/").unwrap(), true).is_ok());
    }
}
