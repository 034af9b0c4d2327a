//! Settings: a TOML file, environment variables over it, and for every value where it came from.
//!
//! Two steps: what was written (a `Raw` struct: `Default + Serialize + DeserializeOwned`, every struct with
//! `#[serde(default, deny_unknown_fields)]`), then what is meant (each part validates its own section and refuses with
//! [`Settings::refuse`]).
//!
//! - `COMBOIO_<SECTION>__<KEY>` overrides the file: `COMBOIO_KAFKA__TLS__CA=/etc/ca.pem` is `kafka.tls.ca`. Values
//!   are read by the type wanted: numbers, `true`/`false`, text as it stands, lists with commas; a list or table may
//!   also be inline TOML (`[{codigo = 300}]`).
//! - `COMBOIO_CONFIG` is the configuration file's path, or the TOML text itself; a `--config` on the command line
//!   wins over it.
//! - A variable `COMBOIO_...` that is no setting is an error, unless the service declared it as its own
//!   ([`load_allowing`]). `COMBOIO_CACHE`, the download folder of the local environment, is left alone everywhere.

mod origin;
mod error;
mod units;
mod secret;
mod spelling;
mod node;
mod misfit;
mod written;
mod read;
mod settings;
mod load;

pub use error::ConfigError;
pub use load::{Loaded, environment, load, load_allowing};
pub use origin::Origin;
pub use secret::Secret;
pub use settings::{Effective, Setting, Settings};
pub use units::{Size, Span};
