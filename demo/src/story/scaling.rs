//! From one consumer to many and back, twice, as an autoscaling group does: every hand-over is drained, so nothing comes twice.

use super::{seconds, settle};
use crate::stage::{PATIENCE, Stage};
use crate::watch::count;
use anyhow::Result;
use std::time::Instant;

const CYCLES: u32 = 2;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    settle(stage).await?;
    let most = stage.options.consumers();
    let (mut next, mut worked) = (2, 0);
    for cycle in 1..=CYCLES {
        let joining = next..next + most - 1;
        next = joining.end;
        stage.note(&format!("cycle {cycle}: {} consumers join", most - 1));
        let grown = stage.start_members(joining).await?;
        stage.note(&format!("{most} consumers share all partitions after {}", seconds(grown)));
        let delivering = async |stage: &mut Stage<'_>| {
            Ok(stage.statuses().await.values().all(|status| count(status, "/delivered") > 0))
        };
        stage.until("each of them delivers", PATIENCE, delivering).await?;
        worked += stage.members.len() - 1;

        let leaving: Vec<String> = stage.members[1..].iter().map(|member| member.name().to_owned()).collect();
        stage.note(&format!("{} consumers leave (SIGTERM)", leaving.len()));
        let since = Instant::now();
        stage.stop_members(&leaving).await?;
        stage.until_shared_out().await?;
        stage.note(&format!("one consumer owns all partitions after {}", seconds(since.elapsed())));
        let seen = stage.load_status().await.map(|status| count(&status, "/acknowledged"))?;
        let goes_on = async |stage: &mut Stage<'_>| Ok(stage.world.collector.snapshot().first_deliveries >= seen);
        stage.until("it delivers what came meanwhile", PATIENCE, goes_on).await?;
    }
    let what = format!("{worked} of {}", CYCLES * (most - 1));
    stage.chronicle.check("every consumer that joined has delivered", worked as u32 == CYCLES * (most - 1), what);
    Ok(())
}
