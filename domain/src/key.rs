//! The Kafka key of an event: what order hangs on. The producer chooses it, Kafka chooses the partition.

mod murmur2;

pub use murmur2::partition_of;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// How an event's key is made; the name in configuration is the kebab-case name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStrategy {
    /// 16 lowercase hex digits of XXH3-64 over `{codigo}:{truck_id}`: balanced, order per code and truck.
    #[default]
    HashCodigoTruck,
    /// The code alone: order per code, hot partitions.
    Codigo,
    /// The truck alone: order per truck over all its codes.
    TruckId,
    /// The text `{codigo}:{truck_id}` itself: as the hash, but readable.
    CodigoTruck,
}

impl KeyStrategy {
    /// Appends the key of `codigo` and `truck_id` to `out`.
    pub fn write(self, codigo: u32, truck_id: &str, out: &mut Vec<u8>) {
        match self {
            Self::HashCodigoTruck => {
                let start = out.len();
                codigo_truck(codigo, truck_id, out);
                let hash = hash(&out[start..]);
                out.truncate(start);
                out.extend_from_slice(&hex16(hash));
            }
            Self::Codigo => out.extend_from_slice(itoa::Buffer::new().format(codigo).as_bytes()),
            Self::TruckId => out.extend_from_slice(truck_id.as_bytes()),
            Self::CodigoTruck => codigo_truck(codigo, truck_id, out),
        }
    }
}

/// XXH3-64, the hash behind the default key; it also deals trucks out to instances.
pub fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

fn codigo_truck(codigo: u32, truck_id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(codigo).as_bytes());
    out.push(b':');
    out.extend_from_slice(truck_id.as_bytes());
}

fn hex16(hash: u64) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|place| DIGITS[(hash >> (60 - 4 * place)) as usize & 0xf])
}
