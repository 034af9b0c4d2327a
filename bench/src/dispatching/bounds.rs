//! What must hold of the dispatcher's packages, and whether it does.

use crate::bound::{Bound, Side};
use crate::dispatching::package::Package;
use crate::dispatching::speed::Speed;

const ZIP_MB: f64 = 8.0;
/// Of `provided.al2023`, as a number: 2.34.
const GLIBC: f64 = 2.34;
const COLD_START_MS: f64 = 30.0;
const BATCH_MS: f64 = 3.0;
const MEMORY_MB: f64 = 64.0;

/// Bytes in MB of a million.
pub fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The bounds of one package.
pub fn of_package(package: &Package) -> Vec<Bound> {
    let most = |what: &str, found: f64, limit: (f64, &'static str)| {
        Bound::new(format!("{}: {what}", package.needs.architecture), found, Side::AtMost, limit)
    };
    let (major, minor) = package.needs.glibc;
    vec![
        most("zip", mb(package.zip_bytes), (ZIP_MB, "MB")),
        most("glibc", f64::from(major) + f64::from(minor) / 100.0, (GLIBC, "")),
    ]
}

/// The bounds of the process, for the one in the middle.
pub fn of_speed(speed: &Speed) -> Vec<Bound> {
    let most = |what: &str, found: f64, limit: (f64, &'static str)| Bound::new(what, found, Side::AtMost, limit);
    vec![
        most("cold start", speed.cold_start_ms.median, (COLD_START_MS, "ms")),
        most("batch of 500 records", speed.batch_ms.median, (BATCH_MS, "ms")),
        most("peak memory", mb(speed.peak_bytes), (MEMORY_MB, "MB")),
    ]
}

#[cfg(test)]
mod tests {
    use super::{of_package, of_speed};
    use crate::bound;
    use crate::dispatching::package::{Needs, Package};
    use crate::dispatching::speed::Speed;
    use crate::statistics::Spread;

    #[test]
    fn every_figure_has_its_bound() {
        let needs = Needs { architecture: "arm64", glibc: (2, 34) };
        let mut package =
            Package { zip: "x".into(), zip_bytes: 8_000_000, bootstrap_bytes: 1, needs, bootstrap: "x".into() };
        assert_eq!(bound::missed(&of_package(&package)), [""; 0]);
        package.zip_bytes += 10_000;
        package.needs.glibc = (2, 36);
        let missed = bound::missed(&of_package(&package));
        assert_eq!(missed, ["arm64: zip 8.01 MB, at most 8 MB", "arm64: glibc 2.36, at most 2.34"]);
        let spread = |median| Spread { median, ..Spread::default() };
        let speed = |cold, batch, peak_bytes| {
            let speed = Speed { cold_start_ms: spread(cold), batch_ms: spread(batch), peak_bytes, ..Speed::default() };
            bound::missed(&of_speed(&speed)).len()
        };
        assert_eq!((speed(30.0, 3.0, 64_000_000), speed(30.1, 3.1, 64_000_001)), (0, 3));
    }
}
