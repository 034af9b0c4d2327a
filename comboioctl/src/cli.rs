//! The command line: commands, flags and their help.

use clap::{Args, Parser, Subcommand};
use runtime::config::Span;
use std::path::PathBuf;

/// Looks after Comboio's topics, groups and certificates.
///
/// Nothing is changed without --apply. Exit codes: 0 fine, 1 failed (broker unreachable, access refused), 2 something
/// was found that needs a person, 64 wrong usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "comboioctl", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub connection: Connection,
    /// Answer with one JSON object on standard output
    #[arg(long, global = true)]
    pub json: bool,
}

/// How to reach Kafka. The flags win over the environment, and that over the file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Configuration file of any Comboio service; only its section [kafka] is read
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Brokers as host:port,host:port; the same as COMBOIO_KAFKA__BOOTSTRAP_SERVERS
    #[arg(long, global = true, value_name = "LIST")]
    pub bootstrap_servers: Option<String>,
    /// PEM file of the authorities; the same as COMBOIO_KAFKA__TLS__CA
    #[arg(long, global = true, value_name = "FILE", allow_hyphen_values = true)]
    pub ca: Option<PathBuf>,
    /// PEM file of the client certificate; the same as COMBOIO_KAFKA__TLS__CERTIFICATE
    #[arg(long, global = true, value_name = "FILE", allow_hyphen_values = true)]
    pub certificate: Option<PathBuf>,
    /// PEM file of its key; the same as COMBOIO_KAFKA__TLS__KEY. A password comes from the file or from
    /// COMBOIO_KAFKA__TLS__KEY_PASSWORD only
    #[arg(long, global = true, value_name = "FILE", allow_hyphen_values = true)]
    pub key: Option<PathBuf>,
    /// PKCS#12 file in place of the three; the same as COMBOIO_KAFKA__TLS__BUNDLE. Each of the four may also be
    /// s3://bucket/key. A password comes from the file or from COMBOIO_KAFKA__TLS__BUNDLE_PASSWORD[_FILE] only
    #[arg(long, global = true, value_name = "FILE", allow_hyphen_values = true)]
    pub bundle: Option<PathBuf>,
    /// How long Kafka may take to answer, with its unit
    #[arg(long, global = true, value_name = "SPAN", default_value = "15s")]
    pub timeout: Span,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the certificates: subject, issuer, names, days left, and whether key, certificate and authority fit
    ///
    /// Looks at files and S3 only, Kafka is not asked. Exits 2 when a certificate has expired or (with --warn-days) will soon, when the key is
    /// another certificate's, or when the authority does not vouch for it.
    Certs(CertsArgs),
    /// List topics, or compare and bring them in line with a file
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Show how many records a group is behind, partition by partition
    ///
    /// Reads committed and end offsets; the group is not joined and not disturbed. Exits 2 when the group has never
    /// committed anything in these topics.
    Lag(LagArgs),
}

#[derive(Debug, Args)]
pub struct CertsArgs {
    /// Also exit 2 when fewer than this many days are left
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    pub warn_days: u32,
}

#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// List the topics that we may see, with partitions and copies
    List,
    /// Show what would have to change for the topics to be as in the file; exits 2 when something would
    Plan(TopicsFile),
    /// Create what is missing and add partitions, with --apply; nothing is ever deleted or shrunk
    ///
    /// Without --apply this is the same as plan. A topic with more partitions moves keys to other partitions: stop the
    /// producers and let the consumers finish before, if order per key must hold over the change.
    Apply(ApplyArgs),
}

#[derive(Debug, Args)]
pub struct TopicsFile {
    /// TOML with [[topics]]: name, partitions, replication (3), config = { "retention.ms" = "86400000" }
    #[arg(long, short, value_name = "FILE", default_value = "topics.toml")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub file: TopicsFile,
    /// Really do it
    #[arg(long)]
    pub apply: bool,
}

#[derive(Debug, Args)]
pub struct LagArgs {
    /// The consumer group
    #[arg(long, short, value_name = "GROUP")]
    pub group: String,
    /// Only this topic; may be given more than once. Without it, every topic in which the group has committed
    #[arg(long, short, value_name = "TOPIC")]
    pub topic: Vec<String>,
}
