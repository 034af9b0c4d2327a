//! All consumers are restarted by SIGTERM, one after the other, as a deployment does: with static membership no partition moves.

use super::{seconds, settle};
use crate::stage::{Owners, PATIENCE, Stage};
use crate::watch::count;
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    settle(stage).await?;
    let names: Vec<String> = stage.members.iter().map(|member| member.name().to_owned()).collect();
    let (mut moved, mut disturbed, mut longest) = (0, 0, Duration::ZERO);
    for name in &names {
        let (owners, calm) = (stage.owners().await, rebalances(stage, name).await);
        let away = stage.restart_members(std::slice::from_ref(name)).await?;
        let whole = async |stage: &mut Stage<'_>| Ok(stage.owners().await.len() == owners.len());
        stage.until("every partition has an owner again", PATIENCE, whole).await?;
        let gone = moves(&owners, &stage.owners().await);
        let others = rebalances(stage, name).await;
        let noticed = others.iter().filter(|(other, count)| calm.get(*other) != Some(*count)).count();
        stage.note(&format!(
            "{name} was restarted, away for {}: {gone} of {} partitions moved",
            seconds(away),
            owners.len()
        ));
        (moved, disturbed, longest) = (moved + gone, disturbed + noticed, longest.max(away));
        delivers_again(stage, name).await?;
    }
    stage.chronicle.figure("longest away", longest.as_secs_f64(), "s, from SIGTERM until ready");
    let what = format!("{moved} moves in {} restarts", names.len());
    stage.chronicle.check("no partition moved", moved == 0, what);
    let what = format!("{disturbed} of {} times another consumer saw one", names.len() * (names.len() - 1));
    stage.chronicle.check("no restart made a rebalance", disturbed == 0, what);
    Ok(())
}

/// How many partitions have another owner.
fn moves(before: &Owners, after: &Owners) -> usize {
    before.iter().filter(|(at, owner)| after.get(*at) != Some(*owner)).count()
}

/// The rebalances that each consumer but one has seen.
async fn rebalances(stage: &Stage<'_>, but: &str) -> BTreeMap<String, u64> {
    let seen = ["assigned", "revoked", "lost"].map(|kind| format!("/rebalances/{kind}"));
    let statuses = stage.statuses().await.into_iter().filter(|(name, _)| name != but);
    statuses.map(|(name, status)| (name, seen.iter().map(|pointer| count(&status, pointer)).sum())).collect()
}

async fn delivers_again(stage: &mut Stage<'_>, name: &str) -> Result<()> {
    let delivers = async |stage: &mut Stage<'_>| Ok(count(&stage.status(name).await?, "/delivered") > 0);
    stage.until(&format!("{name} delivers again"), PATIENCE, delivers).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::moves;

    #[test]
    fn a_partition_with_another_owner_or_none_has_moved() {
        let at = |partition| ("mt-c400".to_owned(), partition);
        let before = [(at(0), "a".to_owned()), (at(1), "b".to_owned()), (at(2), "b".to_owned())].into();
        let after = [(at(0), "a".to_owned()), (at(1), "a".to_owned())].into();
        assert_eq!((moves(&before, &before), moves(&before, &after)), (0, 2));
    }
}
