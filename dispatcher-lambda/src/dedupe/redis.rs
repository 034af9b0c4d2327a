//! Event ids and fences in Redis or Valkey, shared by all instances: one script for each step of a batch.
//!
//! `PREFIX:id:ID` holds `c:CLAIMANT` while it is claimed and `d` once it is delivered, `PREFIX:FENCE` a fence's text; all of them end by
//! themselves. A batch's ids are in one script, so a cluster with several shards is not for this.

use super::store::{Claim, Claimant, FenceStore, SeenStore, StoreFailure};
use crate::together::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, Script};
use runtime::config::{ConfigError, Secret, Settings, Span};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::Mutex;

/// `[dedupe.redis]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisStoreRaw {
    /// `redis://HOST:PORT/DB`, or `rediss://` with TLS; user and password stand before the host.
    pub url: Secret,
    /// Before every key, for those who share a database.
    pub prefix: String,
    /// How long one answer may take, connecting included.
    pub timeout: Span,
}

impl Default for RedisStoreRaw {
    fn default() -> Self {
        Self { url: Secret::default(), prefix: "comboio".to_owned(), timeout: Span::from_secs(1) }
    }
}

/// KEYS: the ids. ARGV: the claimant's mark, and how long the claim holds in milliseconds.
const CLAIM: &str = "
local answers = {}
for n, key in ipairs(KEYS) do
  local held = redis.call('GET', key)
  if held == 'd' then
    answers[n] = 1
  elseif held and held ~= ARGV[1] then
    answers[n] = 2
  else
    redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
    answers[n] = 0
  end
end
return answers";

/// KEYS: the delivered ids, then the released ones. ARGV: the claimant's mark, how many are delivered, how long that is remembered.
const SETTLE: &str = "
for n, key in ipairs(KEYS) do
  if n <= tonumber(ARGV[2]) then
    redis.call('SET', key, 'd', 'PX', ARGV[3])
  elseif redis.call('GET', key) == ARGV[1] then
    redis.call('DEL', key)
  end
end
return 1";

/// KEYS: the fence. ARGV: the text before and after, empty for none, and how long it is remembered. A repeat of what was done already is done.
const SWAP: &str = "
local held = redis.call('GET', KEYS[1]) or ''
if held ~= ARGV[1] and held ~= ARGV[2] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1";

/// See the head of the file.
pub struct RedisStore {
    client: Client,
    /// Made with the first batch; a cold start waits for nobody.
    connection: Mutex<Option<MultiplexedConnection>>,
    prefix: String,
    timeout: Duration,
    /// How long delivered ids and fences are remembered.
    remember: Duration,
}

impl RedisStore {
    /// Checks the section `dedupe.redis`; touches no network.
    ///
    /// # Errors
    /// The URL is none.
    pub fn build(raw: &RedisStoreRaw, remember: Duration, settings: &Settings) -> Result<Self, ConfigError> {
        let client = Client::open(raw.url.expose()).map_err(|_| {
            settings.refuse("dedupe.redis.url", "allowed is redis://HOST:PORT/DB, or rediss:// with TLS")
        })?;
        if raw.timeout.get().is_zero() {
            return Err(settings.refuse("dedupe.redis.timeout", "allowed is 1ms or more"));
        }
        let (prefix, timeout) = (raw.prefix.clone(), raw.timeout.get());
        Ok(Self { client, connection: Mutex::new(None), prefix, timeout, remember })
    }

    fn ids(&self, ids: &[&str]) -> impl Iterator<Item = String> {
        ids.iter().map(|id| format!("{}:id:{id}", self.prefix))
    }

    /// Runs a script within the time-out. A connection that broke since the last batch (Lambda freezes what is idle) is made anew once; every
    /// script may run twice.
    async fn run<T: FromRedisValue>(&self, script: &str, keys: &[String], args: &[&str]) -> Result<T, StoreFailure> {
        let script = Script::new(script);
        let mut script = script.prepare_invoke();
        for key in keys {
            script.key(key);
        }
        for arg in args {
            script.arg(*arg);
        }
        let run = async {
            let mut slot = self.connection.lock().await;
            for fresh in [false, true] {
                let mut connection = match slot.take().filter(|_| !fresh) {
                    Some(connection) => connection,
                    None => self.connect().await?,
                };
                match script.invoke_async(&mut connection).await {
                    Ok(answer) => {
                        *slot = Some(connection);
                        return Ok(answer);
                    }
                    Err(error) if !fresh && is_broken(&error) => {}
                    Err(error) => {
                        *slot = (!is_broken(&error)).then_some(connection);
                        return Err(error);
                    }
                }
            }
            Err(RedisError::from((redis::ErrorKind::Io, "the connection broke twice")))
        };
        match tokio::time::timeout(self.timeout, run).await {
            Ok(answer) => answer.map_err(|error| StoreFailure(format!("Redis: {error}"))),
            Err(_) => Err(StoreFailure(format!("Redis gave no answer within {:?}", self.timeout))),
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }
}

fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_timeout()
}

fn mark(by: Claimant) -> String {
    format!("c:{:016x}", by.0)
}

fn millis(span: Duration) -> String {
    span.as_millis().max(1).to_string()
}

impl SeenStore for RedisStore {
    fn claim<'a>(
        &'a self,
        ids: &'a [&'a str],
        by: Claimant,
        span: Duration,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreFailure>> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let keys: Vec<String> = self.ids(ids).collect();
            let answers: Vec<u8> = self.run(CLAIM, &keys, &[&mark(by), &millis(span)]).await?;
            let answer = |answer: &u8| match answer {
                0 => Claim::Fresh,
                1 => Claim::Delivered,
                _ => Claim::Taken,
            };
            Ok(answers.iter().map(answer).collect())
        })
    }

    fn settle<'a>(
        &'a self,
        delivered: &'a [&'a str],
        released: &'a [&'a str],
        by: Claimant,
    ) -> BoxFuture<'a, Result<(), StoreFailure>> {
        Box::pin(async move {
            let keys: Vec<String> = self.ids(delivered).chain(self.ids(released)).collect();
            if keys.is_empty() {
                return Ok(());
            }
            let (count, span) = (delivered.len().to_string(), millis(self.remember));
            self.run::<u8>(SETTLE, &keys, &[&mark(by), &count, &span]).await.map(|_| ())
        })
    }
}

impl FenceStore for RedisStore {
    fn read<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>> {
        Box::pin(async move { self.run("return redis.call('GET', KEYS[1])", &[self.fence(name)], &[]).await })
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        before: Option<&'a str>,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>> {
        Box::pin(async move {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let swapped: u8 = self.run(SWAP, &[self.fence(name)], &[before, after, &millis(self.remember)]).await?;
            Ok(swapped == 1)
        })
    }
}

impl RedisStore {
    fn fence(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }
}
