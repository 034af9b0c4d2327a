//! What is deployed: a function, its `bootstrap` and its settings.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// The region that the host claims to be in.
pub const REGION: &str = "us-east-1";
/// The account that the host claims to be.
pub const ACCOUNT: &str = "000000000000";
/// The only version there is; aliases and versions in an ARN or a qualifier all mean it.
pub const VERSION: &str = "$LATEST";

/// A Lambda function with the runtime `provided.al2023`.
///
/// As JSON: `{"name":"dispatcher","bootstrap":"/path/bootstrap","env":{},"timeout_ms":3000,"reserved_concurrency":8,"memory_mb":256}`,
/// where all but the first two may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub name: String,
    /// The executable; its folder is the working directory of the process.
    pub bootstrap: PathBuf,
    /// Environment variables on top of what Lambda sets itself. Nothing is inherited from the host but `PATH`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How long one invocation may run before its process is killed.
    #[serde(default = "default_timeout", rename = "timeout_ms", with = "millis")]
    pub timeout: Duration,
    /// How many invocations may run at once; `None` = as many as the account allows, 0 = every one is throttled.
    #[serde(default)]
    pub reserved_concurrency: Option<usize>,
    /// Only told to the process; no limit is enforced.
    #[serde(default = "default_memory")]
    pub memory_mb: u32,
}

impl Function {
    /// A function with AWS's defaults: 3 s timeout, no reserved concurrency; 256 MB on the label.
    pub fn new(name: impl Into<String>, bootstrap: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            bootstrap: bootstrap.into(),
            env: BTreeMap::new(),
            timeout: default_timeout(),
            reserved_concurrency: None,
            memory_mb: default_memory(),
        }
    }

    /// Checks what can be seen without running it.
    ///
    /// # Errors
    /// A name that AWS would not take, or a bootstrap that is not there or not executable.
    pub fn check(&self) -> anyhow::Result<()> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(allowed) {
            bail!("function name {:?}: allowed are 1 to 64 of letters, digits, - and _", self.name);
        }
        let found = std::fs::metadata(&self.bootstrap)
            .with_context(|| format!("bootstrap {} of function {}", self.bootstrap.display(), self.name))?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            bail!("bootstrap {} of function {} is not an executable file", self.bootstrap.display(), self.name);
        }
        Ok(())
    }
}

/// The ARN of a function of this account, whether it exists or not.
pub fn arn(name: &str, qualifier: Option<&str>) -> String {
    let suffix = qualifier.map(|q| format!(":{q}")).unwrap_or_default();
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}{suffix}")
}

/// Splits what stands in an Invoke path into name and qualifier: `name`, `name:alias`, `account:function:name`, or a whole ARN.
pub fn split_name(text: &str) -> (&str, Option<&str>) {
    let own = text.rsplit_once("function:").map_or(text, |(_, own)| own);
    match own.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (own, None),
    }
}

fn default_timeout() -> Duration {
    Duration::from_secs(3)
}

fn default_memory() -> u32 {
    256
}

mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(value: &Duration, out: S) -> Result<S::Ok, S::Error> {
        (value.as_millis() as u64).serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        u64::deserialize(input).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::{Function, arn, split_name};

    #[test]
    fn every_form_of_a_name_is_understood() {
        for text in ["f", "000000000000:function:f", "arn:aws:lambda:us-east-1:000000000000:function:f", "function:f"] {
            assert_eq!(split_name(text), ("f", None), "{text}");
        }
        assert_eq!(split_name("f:live"), ("f", Some("live")));
        assert_eq!(split_name(&arn("f", Some("live"))), ("f", Some("live")));
    }

    #[test]
    fn a_missing_bootstrap_and_a_bad_name_are_refused() {
        assert!(Function::new("f", "/nowhere/bootstrap").check().is_err());
        assert!(Function::new("a b", std::env::current_exe().unwrap()).check().is_err());
        assert!(Function::new("a_b-1", std::env::current_exe().unwrap()).check().is_ok());
    }

    #[test]
    fn two_fields_of_json_are_enough() {
        let function: Function = serde_json::from_str(r#"{"name":"f","bootstrap":"/b"}"#).unwrap();
        assert_eq!(function, Function::new("f", "/b"));
        assert!(serde_json::from_str::<Function>(r#"{"name":"f","bootstrap":"/b","timeout":3}"#).is_err());
    }
}
