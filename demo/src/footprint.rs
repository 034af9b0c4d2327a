//! What all processes of the journey use together: resident memory, read from /proc.

use std::collections::HashMap;
use std::fs;

/// Resident memory of this process and all its descendants, in bytes, by program name.
pub fn resident() -> HashMap<String, u64> {
    let all = processes();
    let mut ours = vec![std::process::id()];
    let mut at = 0;
    while let Some(parent) = ours.get(at).copied() {
        ours.extend(all.iter().filter(|(_, process)| process.parent == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    let mut by_name: HashMap<String, u64> = HashMap::new();
    for process in ours.iter().filter_map(|pid| all.get(pid)) {
        *by_name.entry(process.name.clone()).or_default() += process.resident;
    }
    by_name
}

struct Process {
    parent: u32,
    name: String,
    resident: u64,
}

fn processes() -> HashMap<u32, Process> {
    let Ok(folder) = fs::read_dir("/proc") else { return HashMap::new() };
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

fn process(pid: u32) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let kilobytes: u64 = field("VmRSS:").and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    Some(Process {
        parent: field("PPid:")?.parse().ok()?,
        name: field("Name:")?.to_owned(),
        resident: kilobytes * 1024,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_is_counted() {
        assert!(super::resident().values().sum::<u64>() > 100_000);
    }
}
