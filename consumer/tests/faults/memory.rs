//! Memory while one record is stuck and everything else goes on at full speed.

use crate::DEADLINE;
use crate::brain::{Fault, Reply};
use crate::consumer::Consumer;
use crate::world::{PARTITIONS, World};
use std::time::{Duration, Instant};

/// At which the function is throttled for ever.
const STUCK: &str = "BRSTUCK";
/// Events in a tenth of a second: 13,000/s.
const PACE: usize = 1_300;
const TENTH: Duration = Duration::from_millis(100);
/// On a busy machine the process does things for the first time for so long.
const WARM: Duration = Duration::from_secs(10);
/// `make soak-consumer` makes it longer, in seconds.
const SOAK: &str = "COMBOIO_SOAK_SECONDS";
const SPAN: Duration = Duration::from_secs(6);
/// The least of the pace that counts as kept.
const KEPT: f64 = 12_900.0;
/// So many seconds of load the other partitions may be behind at a look.
const BEHIND: f64 = 3.0;
/// How many looks there are at the memory.
const LOOKS: u32 = 12;
/// Without a bound to what waits it grows by more than this within the span.
const MOST_GROWTH_KIB: u64 = 6 << 10;
/// Within a longer span the process does things for the first time, and the allocator spreads: this much once. Without a bound it grows by as much
/// every quarter of a minute.
const SPREAD_KIB: u64 = 10 << 10;
const LONG: Duration = Duration::from_secs(60);
/// How much more there may be in the last third than in the first.
const FLAT: f64 = 1.1;
/// What a record takes that the others are behind by: read ahead, in a batch, and in its request.
const RECORD_KIB: u64 = 1;

fn span() -> Duration {
    std::env::var(SOAK).map_or(SPAN, |seconds| Duration::from_secs(seconds.parse().expect("a number of seconds")))
}

fn resident_kib(consumer: &Consumer) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", consumer.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stuck_record_holds_its_partition_and_no_memory() {
    let mut world = World::on_kafka("memory").await;
    world.brain.mark(STUCK, Fault::Instead(Reply::page(429)));
    let consumer = world.start(&[]);
    consumer.wait_assigned(PARTITIONS as usize).await;
    let (key, value) = world.events.of(STUCK.into());
    world.send(&key, &value);
    world.produce_for(WARM, PACE).await;
    let (span, warm) = (span(), resident_kib(&consumer));
    let (begun, before, mut looks, mut rate) = (Instant::now(), world.events.made(), Vec::new(), 0.0);
    println!("resident after {WARM:?}: {warm} KiB");
    // One clock for all of it, so that a moment's delay is caught up with.
    let mut paces = tokio::time::interval(TENTH);
    for _ in 0..LOOKS {
        for _ in 0..(span / LOOKS).as_millis() / TENTH.as_millis() {
            paces.tick().await;
            world.offer(PACE);
        }
        let (now, elapsed) = (resident_kib(&consumer), begun.elapsed().as_secs_f64());
        rate = (world.events.made() - before) as f64 / elapsed;
        let mut behind =
            world.reader.committed_and_ends().into_iter().map(|(next, end)| end - next).collect::<Vec<_>>();
        behind.sort_unstable();
        let (_stuck, others) = behind.split_last().unwrap();
        let under_way: u64 = others.iter().map(|behind| behind.unsigned_abs()).sum();
        println!("resident after {elapsed:.0} s more: {now} KiB, at {rate:.0} events/s, the others {under_way} behind");
        looks.push(now.saturating_sub(under_way * RECORD_KIB));
        let most_behind = BEHIND * KEPT / f64::from(PARTITIONS);
        assert!(others.iter().all(|behind| (*behind as f64) < most_behind), "{behind:?} records behind");
    }
    assert!(rate >= KEPT, "{rate:.0} events/s are not the load that this is about");
    world.flush();
    let status = consumer.status().unwrap();
    assert_eq!((&status["dead_lettered"], status["pauses"].as_u64().unwrap() > 0), (&0.into(), true), "{status}");
    let allowed = warm + MOST_GROWTH_KIB + if span >= LONG { SPREAD_KIB } else { 0 };
    let (most, third) = (*looks.iter().max().unwrap(), looks.len() / 3);
    let mean = |looks: &[u64]| looks.iter().sum::<u64>() as f64 / looks.len() as f64;
    let growth = mean(&looks[looks.len() - third..]) / mean(&looks[..third]);
    println!("beside what the others are behind: at most {most} KiB, the last third {growth:.2} times the first");
    assert!(most < allowed, "{warm} KiB, and up to {most} KiB within {span:?}");
    assert!(
        span < LONG || growth < FLAT,
        "the last third of {span:?} had {growth:.2} times as much as the first: {looks:?}"
    );
    world.brain.mark("nothing", Fault::ResetBefore);
    world.wait_committed(DEADLINE + span).await;
    world.assert_delivered(world.events.made());
    consumer.stop().await;
}
