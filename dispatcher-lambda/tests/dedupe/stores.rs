//! Redis and the emulator of AWS, started once. What is missing fails every test.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use localenv::aws::Aws;
use localenv::redis::Redis;
use runtime::aws::{https_client, in_function};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

static AWS: OnceLock<Aws> = OnceLock::new();
static REDIS: OnceLock<Redis> = OnceLock::new();

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("dedupe").join(name)
}

pub fn aws() -> &'static Aws {
    AWS.get_or_init(|| Aws::start(&folder("aws")).unwrap())
}

pub fn redis() -> &'static Redis {
    REDIS.get_or_init(|| Redis::start(&folder("redis")).unwrap())
}

pub fn sdk() -> aws_config::SdkConfig {
    in_function("us-east-1", Some(&aws().endpoint()), https_client(), Duration::from_secs(30))
}

/// A table as the documentation says.
pub async fn table(name: &str) -> Client {
    let client = Client::new(&sdk());
    let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let request = request.attribute_definitions(attribute.build().unwrap()).key_schema(schema.build().unwrap());
    request.send().await.unwrap();
    let expires = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build().unwrap();
    client.update_time_to_live().table_name(name).time_to_live_specification(expires).send().await.unwrap();
    client
}

/// `[dedupe.redis]` with a prefix of its own.
pub fn in_redis(name: &str) -> String {
    format!("[dedupe.redis]\nurl = \"{}\"\nprefix = \"{name}\"\n", redis().url())
}

/// `[dedupe.dynamodb]` with a table of its own.
pub async fn in_dynamodb(name: &str) -> String {
    table(name).await;
    format!("[dedupe.dynamodb]\ntable = \"{name}\"\nendpoint_url = \"{}\"\n", aws().endpoint())
}
