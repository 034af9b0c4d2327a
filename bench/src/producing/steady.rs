//! Runs the steady load with the producer's own program and looks at the process meanwhile.

use crate::events::profile;
use crate::meter;
use crate::producing::launch::producer;
use crate::producing::onlooker::{self, Onlooker};
use crate::producing::settings::{self, SettingsFiles};
use crate::producing::steadiness::{RATE, Steadiness, own_lateness, own_seconds};
use crate::warm;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use localenv::process::Guarded;
use producer::report::Report;
use runtime::clock;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const TOPIC: &str = "bench-steady";
/// Small batches are other work for the brokers than large ones: their JVMs get used to them in runs of so many seconds.
const WARM_UP: u64 = 15;
const WARM_UP_RUNS: u32 = 6;
/// The first look at the memory.
const EARLY: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);
/// Beyond the load's own time: start, connections, last answers.
const MARGIN: Duration = Duration::from_secs(60);

/// What the process looked like while it ran.
struct Seen {
    cpu_seconds: f64,
    early: u64,
    late: u64,
    machine: onlooker::Seen,
}

/// 13,000 events/s for `seconds`, over mutual TLS, once the brokers are warm for it.
///
/// # Errors
/// The producer fails, or a broker does.
pub fn run(world: &mut World, seconds: u64, folder: &Path) -> Result<Steadiness> {
    world.create_topic(TOPIC)?;
    let settings = settings::write(world, TOPIC, folder)?;
    warm::up("steady load", world, WARM_UP_RUNS, |world, _| load(world, &settings, WARM_UP, folder).map(drop))?;
    world.settle()?;
    let (report, seen) = load(world, &settings, seconds, folder)?;
    Ok(figures(&report, &seen, seconds))
}

fn load(world: &mut World, settings: &SettingsFiles, seconds: u64, folder: &Path) -> Result<(Report, Seen)> {
    let (report, log, before) = (folder.join("steady.json"), folder.join("steady.log"), world.records(TOPIC)?);
    let mut command = Command::new(producer()?);
    command.args(["run", "--duration", &format!("{seconds}s"), "--rate", &RATE.to_string()]);
    command.arg("--profile").arg(profile()).arg("--config").arg(&settings.ours).arg("--report").arg(&report);
    let mut process = Guarded::spawn("steady load", command, &log)?;
    let onlooker = Onlooker::start()?;
    let mut seen = watch(&mut process, Duration::from_secs(seconds))?;
    seen.machine = onlooker.stop();
    world.check()?;
    let report: Report = serde_json::from_str(&std::fs::read_to_string(&report)?).context("no report")?;
    let arrived = world.records(TOPIC)? - before;
    ensure!(arrived == report.acknowledged, "the brokers hold {arrived} of {} events", report.acknowledged);
    Ok((report, seen))
}

/// Looks until the process has ended.
fn watch(process: &mut Guarded, length: Duration) -> Result<Seen> {
    let (clock, mut seen) =
        (clock::system(), Seen { cpu_seconds: 0.0, early: 0, late: 0, machine: onlooker::Seen::default() });
    let start = clock.now();
    loop {
        let at = clock.now() - start;
        seen.cpu_seconds = meter::cpu_seconds(process.pid()).unwrap_or(0.0).max(seen.cpu_seconds);
        let memory = meter::memory(process.pid(), "VmRSS:");
        if seen.early == 0 && at >= EARLY.min(length / 2) {
            seen.early = memory.unwrap_or_default();
        }
        // The report at the end needs some memory of its own; it is no part of the load.
        if at <= length {
            seen.late = memory.unwrap_or(seen.late);
        }
        if let Some(status) = process.wait_exit(LOOK)? {
            ensure!(status.success(), "the producer ended with {status}:\n{}", process.log_tail(8));
            return Ok(seen);
        }
        ensure!(at < length + MARGIN, "the producer did not end in time:\n{}", process.log_tail(8));
    }
}

fn figures(report: &Report, seen: &Seen, seconds: u64) -> Steadiness {
    let (started, stalls) = (report.started_ms as f64, &seen.machine.stalls);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Steadiness {
        seconds,
        offered: report.offered,
        acknowledged: report.acknowledged,
        // A run without a whole second has shown nothing.
        worst_second_error: report.rate.worst_second_error.unwrap_or(f64::INFINITY),
        own_seconds: own_seconds(&report.rate.seconds, started, stalls),
        cpu_of_a_core: seen.cpu_seconds / report.duration_seconds.max(f64::MIN_POSITIVE),
        lateness_max_ms: report.lateness_ms.max_after_first_second,
        late_sends: report.lateness_ms.late_sends,
        machine_late_ms: seen.machine.latest.as_secs_f64() * 1_000.0,
        own_lateness_max_ms: own_lateness(&report.late_moments, started, stalls),
        ack_p50_ms: report.ack_latency_ms.p50,
        ack_p99_ms: report.ack_latency_ms.p99,
        early_memory_mib: mib(seen.early),
        late_memory_mib: mib(seen.late),
    }
}
