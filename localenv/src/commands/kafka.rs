//! `comboio-localenv kafka`: real brokers for as long as somebody needs them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use localenv::authority::Identity;
use localenv::broker::grant::{Grant, Operation, Resource};
use localenv::broker::kafka::{KafkaCluster, KafkaOptions, Speed};
use localenv::broker::topic::Topic;

use super::standing::{announce, until_stopped};

const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Options of this subcommand.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many brokers: 1 or 3.
    #[arg(long, default_value_t = 1, value_parser = one_or_three)]
    brokers: usize,
    /// An empty folder for certificates, data and logs, kept afterwards; a temporary one by default.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Also listen without TLS; whoever connects there may do everything.
    #[arg(long)]
    plaintext: bool,
    /// Let the JVMs optimise: a slower start, more throughput.
    #[arg(long)]
    throughput: bool,
    /// A topic to create; may be given often.
    #[arg(long, value_name = "NAME:PARTITIONS", value_parser = topic)]
    topic: Vec<Topic>,
    /// Write the bootstrap servers here once the brokers are ready.
    #[arg(long)]
    address_file: Option<PathBuf>,
}

impl Arguments {
    fn options(&self) -> KafkaOptions {
        KafkaOptions {
            dir: self.dir.clone(),
            plaintext: self.plaintext,
            speed: if self.throughput { Speed::Throughput } else { Speed::QuickStart },
            ..KafkaOptions::brokers(self.brokers)
        }
    }
}

/// Runs until Ctrl-C.
///
/// # Errors
/// Whatever keeps the brokers from starting; a broker that ends by itself.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut cluster = KafkaCluster::start(&arguments.options())?;
    cluster.create_topics(&arguments.topic)?;
    let identities = identities(&cluster)?;
    announce("kafka", &cluster.bootstrap(), arguments.address_file.as_deref())?;
    describe(&cluster, &identities);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(stand(&mut cluster))
}

async fn stand(cluster: &mut KafkaCluster) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(CHECK_EVERY);
    let mut stopped = std::pin::pin!(until_stopped());
    loop {
        tokio::select! {
            outcome = &mut stopped => return outcome,
            _ = tick.tick() => cluster.check()?,
        }
    }
}

/// Issues one identity for each part that a newcomer may want to play, and what it means.
fn identities(cluster: &KafkaCluster) -> anyhow::Result<Vec<(Identity, &'static str)>> {
    use Operation::{Describe, DescribeConfigs, Read, Write};
    let topics = |operations: &[Operation]| Grant::on(Resource::Topic("*".into()), operations);
    let parts = [
        ("producer", "may write all topics", vec![topics(&[Write, Describe, DescribeConfigs])]),
        (
            "consumer",
            "may read and write all topics, in all groups",
            vec![topics(&[Read, Write, Describe, DescribeConfigs]), Grant::group("*")],
        ),
        ("stranger", "may do nothing", Vec::new()),
    ];
    let mut issued = vec![(cluster.admin().clone(), "may do everything")];
    for (name, meaning, grants) in parts {
        let identity = cluster.authority().issue(name)?;
        cluster.allow(&identity.principal(), &grants)?;
        issued.push((identity, meaning));
    }
    Ok(issued)
}

fn describe(cluster: &KafkaCluster, identities: &[(Identity, &str)]) {
    if let Some(plaintext) = cluster.plaintext_bootstrap() {
        println!("without tls     {plaintext}");
    }
    println!("files           {}", cluster.folder().display());
    println!("ca              {}", cluster.authority().ca().display());
    for (identity, meaning) in identities {
        println!("{:<15} {} and .key ({meaning})", identity.name, identity.certificate.display());
    }
    println!("Ctrl-C stops the brokers.");
}

fn one_or_three(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("1 or 3 brokers can be started".to_owned()),
    }
}

fn topic(text: &str) -> anyhow::Result<Topic> {
    let (name, partitions) = text.split_once(':').context("expected NAME:PARTITIONS, such as mt-c400:24")?;
    let partitions = partitions.parse().ok().filter(|count| *count > 0);
    Ok(Topic::new(name, partitions.context("PARTITIONS is a whole number from 1")?))
}
