//! A consumer stands still (SIGSTOP) for longer than the group waits, and then goes on: it commits nothing for partitions that are
//! others' by now, joins again, and only what it held comes twice.

use super::{seconds, settle};
use crate::accident::Accident;
use crate::stage::{PATIENCE, Stage};
use crate::watch::{assignment, count};
use anyhow::Result;
use serde_json::Value;
use std::time::Instant;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    settle(stage).await?;
    let victim = "consumer-1";
    let before = stage.status(victim).await?;
    let owned = assignment(&before);
    let frozen = Instant::now();
    stage.member(victim)?.freeze()?;
    stage.note(&format!("{victim} stands still (SIGSTOP); it owns {} partitions", owned.len()));
    // Committed first: what is committed afterwards is not the frozen one's. And it can hold nothing that is not there yet.
    let committed = stage.committed(&owned).await?;
    let ends = stage.ends(&owned).await?;
    stage.accident = Accident::new("the freeze", &committed, |at| ends.get(at).copied().unwrap_or(0));

    let inherited = async |stage: &mut Stage<'_>| Ok(stage.owners().await.len() == stage.world.partitions().len());
    stage.until("others own all partitions", PATIENCE, inherited).await?;
    stage.note(&format!("the others own all partitions, {} after it stood still", seconds(frozen.elapsed())));
    let done = async |stage: &mut Stage<'_>| {
        let now = stage.committed(&owned).await?;
        Ok(ends.iter().all(|(at, end)| now.get(at) >= Some(end)))
    };
    stage.until("the others have finished what it held", PATIENCE, done).await?;
    stage.note(&format!("they have finished the {} records that it can have held", stage.accident.in_flight()));

    let stood = frozen.elapsed();
    stage.member(victim)?.thaw()?;
    stage.note(&format!("{victim} goes on (SIGCONT) after {}", seconds(stood)));
    let after = notices(stage, victim, &before).await?;
    let back = stage.until_shared_out().await?;
    stage.note(&format!("{victim} has joined again and owns partitions, {} later", seconds(back)));
    let resumed = async |stage: &mut Stage<'_>| {
        Ok(count(&stage.status(victim).await?, "/delivered") > count(&after, "/delivered"))
    };
    stage.until("it delivers again", PATIENCE, resumed).await?;
    stage.note(&format!("{victim} delivers again"));

    let held = |status: &Value| count(status, "/rebalances/lost") + count(status, "/client_changes");
    let noticed = format!("it says {} lost assignments or clients, {} before", held(&after), held(&before));
    stage.chronicle.check("it noticed that its partitions were gone", held(&after) > held(&before), noticed);
    stage.chronicle.check("it owned partitions", !owned.is_empty(), owned.len().to_string());
    Ok(())
}

/// Waits until the consumer says that it has lost what it owned; what it said then.
async fn notices(stage: &mut Stage<'_>, victim: &str, before: &Value) -> Result<Value> {
    let lost = |status: &Value| count(status, "/rebalances/lost") + count(status, "/client_changes");
    let mut last = before.clone();
    let noticed = async |stage: &mut Stage<'_>| {
        if let Some(status) = stage.member(victim)?.status().await {
            last = status;
        }
        Ok(lost(&last) > lost(before))
    };
    stage.until("the consumer that goes on notices that its partitions are gone", PATIENCE, noticed).await?;
    Ok(last)
}
