//! The incident: three consumers with batches of a fixed size are restarted at once for a deployment while the function gets eight times
//! slower. The lag climbs, and falls again by itself; nothing is lost. Then the same with what was learnt from it: one restart at a time, and
//! batches that grow with what waits.

use super::{seconds, settle};
use crate::lag_curve::LagCurve;
use crate::layout::FUNCTION;
use crate::stage::{PATIENCE, Stage};
use anyhow::Result;
use localenv::lambda_host::{Fault, Rule};
use std::time::Duration;

/// What an invocation takes, before and in the incident.
const USUAL: Duration = Duration::from_millis(120);
const SLOW: Duration = Duration::from_millis(950);
/// The names of the curves.
const AT_ONCE: &str = "all at once, fixed batches";
const ONE_BY_ONE: &str = "one at a time, growing batches";
/// How long the function stays slow.
const LASTS: f64 = 15.0;
/// With what was learnt at most so many percent of the records are behind.
const VISIBLY: i64 = 70;
/// As many seconds of load as that may lie unfinished when all is well: a batch waits for a second.
const WELL: i64 = 2;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    slow_down(stage, USUAL)?;
    settle(stage).await?;
    let mut curve = LagCurve::default();
    let well = WELL * i64::from(stage.options.rate());
    recover(stage, &mut curve, well).await?;
    let at_once = incident(stage, &mut curve, true).await?;
    learn(stage)?;
    let one_by_one = incident(stage, &mut curve, false).await?;
    for (name, wave) in [(AT_ONCE, &at_once), (ONE_BY_ONE, &one_by_one)] {
        stage.chronicle.curve(name, wave.clone());
        let peak = format!("records behind at most, {:.0} s late, normal after {:.0} s", wave.latest(), lasted(wave));
        stage.chronicle.figure(name, wave.peak() as f64, &peak);
    }
    let seen = format!("{} records behind, up to {well} are usual", at_once.peak());
    stage.chronicle.check("the lag showed the incident", at_once.peak() > well, seen);
    let (before, after) = (at_once.peak(), one_by_one.peak());
    let smaller = 100 * after <= VISIBLY * before;
    let seen = format!("{after} records behind in place of {before}; at most {VISIBLY} % were expected");
    stage.chronicle.check("it stayed visibly smaller one at a time, with batches that grow", smaller, seen);
    Ok(())
}

/// From their next start on the consumers' batches are the product's own: as large as what waits, up to `batch.records`.
fn learn(stage: &mut Stage<'_>) -> Result<()> {
    stage.consumer_settings.retain(|(key, _)| !key.starts_with("batch."));
    stage.members.iter().try_for_each(|member| stage.configure_member(member.name()))
}

/// One wave: restarts and a slow function, until the lag is normal again.
async fn incident(stage: &mut Stage<'_>, curve: &mut LagCurve, at_once: bool) -> Result<LagCurve> {
    let (began, how) = (stage.elapsed().as_secs_f64(), if at_once { "all at once" } else { "one at a time" });
    stage.note(&format!("a deployment restarts the consumers {how}; the function takes {SLOW:?} instead of {USUAL:?}"));
    slow_down(stage, SLOW)?;
    let names: Vec<String> = stage.members.iter().map(|member| member.name().to_owned()).collect();
    if at_once {
        let down = stage.restart_members(&names).await?;
        stage.note(&format!("the consumers are back after {}", seconds(down)));
    } else {
        for name in &names {
            let down = stage.restart_members(std::slice::from_ref(name)).await?;
            look(stage, curve).await?;
            stage.note(&format!("{name} is back after {}", seconds(down)));
        }
    }
    let over = began + LASTS;
    let mut last = 0.0;
    let slow = async |stage: &mut Stage<'_>| {
        sample(stage, curve, &mut last).await?;
        Ok(stage.elapsed().as_secs_f64() >= over)
    };
    stage.until("the incident is over", PATIENCE, slow).await?;
    slow_down(stage, USUAL)?;
    stage.note(&format!("the function takes {USUAL:?} again; nobody does anything else"));
    let well = WELL * i64::from(stage.options.rate());
    recover(stage, curve, well).await?;
    stage.note("the lag is normal again");
    Ok(curve.from(began))
}

/// Waits until no more than `well` records are unfinished.
async fn recover(stage: &mut Stage<'_>, curve: &mut LagCurve, well: i64) -> Result<()> {
    let mut last = 0.0;
    let normal = async |stage: &mut Stage<'_>| {
        sample(stage, curve, &mut last).await?;
        Ok(curve.samples.last().is_some_and(|sample| sample.records <= well))
    };
    stage.until("the lag is normal", PATIENCE * 2, normal).await.map(drop)
}

/// A look once a second.
async fn sample(stage: &mut Stage<'_>, curve: &mut LagCurve, last: &mut f64) -> Result<()> {
    let now = stage.elapsed().as_secs_f64();
    if now - *last >= 1.0 {
        *last = now;
        look(stage, curve).await?;
    }
    Ok(())
}

async fn look(stage: &mut Stage<'_>, curve: &mut LagCurve) -> Result<()> {
    let partitions = stage.world.partitions();
    let (committed, ends) = (stage.committed(&partitions).await?, stage.ends(&partitions).await?);
    curve.add(stage.elapsed().as_secs_f64(), &committed, ends);
    Ok(())
}

fn slow_down(stage: &Stage<'_>, latency: Duration) -> Result<()> {
    stage.world.host.clear_faults();
    stage.world.host.add_fault(Rule::always(Fault::latency(latency)).only(FUNCTION)).map(drop)
}

/// Seconds from the first sample to the last.
fn lasted(wave: &LagCurve) -> f64 {
    wave.samples.first().zip(wave.samples.last()).map_or(0.0, |(first, last)| last.at_seconds - first.at_seconds)
}
