//! Two ports of one process need two addresses.

use super::{Raw, SourceKind};
use runtime::config::{ConfigError, Settings};
use std::net::{IpAddr, SocketAddr};

/// Addresses that cannot be read are refused by their own sections.
pub(super) fn check(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    let (Ok(admin), Ok(ingest)) = (raw.admin.listen.parse::<SocketAddr>(), raw.ingest.listen.parse::<SocketAddr>())
    else {
        return Ok(());
    };
    let same = admin.port() != 0 && admin.port() == ingest.port() && meet(admin.ip(), ingest.ip());
    if raw.source.kind != SourceKind::Ingest || !same {
        return Ok(());
    }
    let sentence = format!("ingest.listen is {ingest}, and one port cannot be both: give each a port of its own");
    Err(settings.refuse("admin.listen", sentence))
}

/// Whether the system would refuse the second of the two on one port. Linux lets `::` stand for IPv4 as well.
fn meet(one: IpAddr, other: IpAddr) -> bool {
    let takes = |wide: IpAddr, narrow: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4());
    one == other || takes(one, other) || takes(other, one)
}

#[cfg(test)]
mod tests {
    use super::meet;

    #[test]
    fn a_wildcard_meets_every_address_of_its_kind() {
        for (one, other, said) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0", "127.0.0.1", true),
            ("127.0.0.1", "::", true),
            ("::1", "0.0.0.0", false),
        ] {
            assert_eq!(meet(one.parse().unwrap(), other.parse().unwrap()), said, "{one} {other}");
        }
    }
}
