//! What the process used: CPU seconds and the highest resident memory, from /proc (Linux).

/// So many ticks of /proc/self/stat make a second (USER_HZ, proc(5)).
const TICKS: f64 = 100.0;

/// Since the process started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// User and system time of all threads, seconds.
    pub cpu_seconds: f64,
    pub peak_rss_bytes: u64,
}

/// Reads both; zero where /proc does not say.
pub fn now() -> Usage {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    Usage {
        cpu_seconds: cpu_seconds(&read("/proc/self/stat")).unwrap_or_default(),
        peak_rss_bytes: peak_rss(&read("/proc/self/status")).unwrap_or_default(),
    }
}

/// Fields 14 and 15, counted behind the command's name, which may hold spaces.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

fn peak_rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, now, peak_rss};

    #[test]
    fn the_fields_are_found() {
        let stat = "7 (a b) c) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 1 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(peak_rss("VmPeak: 9 kB\nVmHWM:\t   12 kB\n"), Some(12_288));
        assert!(now().peak_rss_bytes > 0);
    }
}
