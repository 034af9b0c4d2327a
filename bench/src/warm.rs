//! Warming the brokers up: a JVM that has just started spends more on compiling than on brokering, and takes that from whoever
//! runs beside it.

use crate::world::World;
use anyhow::Result;
use runtime::clock;

/// The brokers count as warm when their JVMs take less than this part of all processors for compiling themselves.
const COMPILING: f64 = 0.06;

/// Runs `load` with the run's number, from 0 on, until the brokers are warm, but not more than `at_most` times.
///
/// # Errors
/// Those of `load`.
pub fn up(
    what: &str,
    world: &mut World,
    at_most: u32,
    mut load: impl FnMut(&mut World, u32) -> Result<()>,
) -> Result<()> {
    let (processors, clock) = (std::thread::available_parallelism()?.get() as f64, clock::system());
    for run in 0..at_most {
        let (before, start) = (world.compiling(), clock.now());
        load(world, run)?;
        let part = (world.compiling() - before) / (clock.now() - start).as_secs_f64() / processors;
        eprintln!(
            "  {what}, warm-up {}: the brokers' JVMs compile with {:.0} % of the processors",
            run + 1,
            part * 100.0
        );
        if part < COMPILING {
            return Ok(());
        }
    }
    eprintln!("  the brokers still compile, look at the ranges");
    Ok(())
}
