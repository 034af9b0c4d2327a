//! The consumer's process: started with settings, asked by its admin port, judged by its log.

use crate::log::Log;
use crate::{DEADLINE, admin};
use localenv::process::Guarded;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;

pub type Setting = (&'static str, String);

/// A running consumer; it is killed when this is dropped.
pub struct Consumer {
    process: Guarded,
    folder: TempDir,
}

impl Consumer {
    /// Starts `comboio-consumer run` with these settings, and these variables beside them.
    pub fn start(settings: &[Setting], variables: &[(&str, String)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_comboio-consumer"));
        program.arg("run").env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
        program.env("COMBOIO_ADMIN__ADDRESS_FILE", folder.path().join("address")).env("COMBOIO_LOGS__FORMAT", "json");
        program.envs(settings.iter().map(|(key, value)| (format!("COMBOIO_{key}"), value)));
        program.envs(variables.iter().cloned());
        let process = Guarded::spawn("consumer", program, &folder.path().join("log")).unwrap();
        Self { process, folder }
    }

    fn address_file(&self) -> PathBuf {
        self.folder.path().join("address")
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn log(&self) -> Log {
        Log::read(self.process.log())
    }

    pub fn status(&self) -> Option<Value> {
        let (_, body) = admin::ask(&self.address_file(), "GET /status")?;
        serde_json::from_str(&body).ok()
    }

    /// One request to the admin port.
    pub fn ask(&self, request: &str) -> (u16, String) {
        admin::ask(&self.address_file(), request).expect("the admin port answers")
    }

    /// Looks at /status until it is as wanted.
    pub async fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + DEADLINE;
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            looks.tick().await;
            let status = self.status();
            if let Some(status) = status.clone().filter(&wanted) {
                return status;
            }
            assert!(Instant::now() < until, "{what}: {status:?}\n{}", self.process.log_tail(30));
        }
    }

    /// Waits until so many partitions are its own.
    pub async fn wait_assigned(&self, partitions: usize) -> Value {
        let assigned = |status: &Value| status["assignment"].as_array().is_some_and(|all| all.len() == partitions);
        self.wait_for(&format!("{partitions} partitions"), assigned).await
    }

    /// SIGTERM: it drains, commits and ends with 0. Every line of its log about records said which.
    pub async fn stop(mut self) -> Log {
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.process.stop(DEADLINE).unwrap();
            (status.code(), self.process.log_tail(20), self.log())
        });
        let (code, tail, log) = ended.await.unwrap();
        assert_eq!(code, Some(0), "{tail}");
        log.assert_coordinates();
        log
    }
}
