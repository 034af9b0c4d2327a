//! Writes an event as the JSON that travels, without allocating.

use super::pen::{BEYOND, Pen};
use super::{Event, VERSION};

/// Names of members, numbers of any size and what the pen writes too much: an event without its run and its truck is shorter.
const ROOM: usize = 320;
const START: &[u8; 13] = b"{\"v\":1,\"id\":\"";
const _: () = assert!(VERSION == 1, "START holds the version");

/// Appends the event's JSON to `out`; members stand in the order of the schema.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    write(event, out, |pen| {
        pen.literal(START);
        id(event, pen);
        pen.literal(b"\",\"codigo\":");
        pen.number(event.codigo.into());
        pen.literal(b",\"truck_id\":\"");
        pen.name(event.truck_id);
        pen.literal(b"\",\"seq\":");
        pen.number(event.seq);
        pen.literal(b",\"ts\":");
        pen.signed(event.ts);
        readings(event, pen);
        pen.literal(b"}");
    });
}

/// Appends `{run}-{truck_id}-{codigo}-{seq}`, the event's id.
pub(super) fn write_id(event: &Event<'_>, out: &mut Vec<u8>) {
    write(event, out, |pen| id(event, pen));
}

#[inline]
fn write(event: &Event<'_>, out: &mut Vec<u8>, with: impl FnOnce(&mut Pen<'_>)) {
    let start = out.len();
    out.resize(start + ROOM + event.run.len() + 2 * event.truck_id.len() + BEYOND, 0);
    let mut pen = Pen::new(&mut out[start..]);
    with(&mut pen);
    let end = start + pen.written();
    out.truncate(end);
}

#[inline]
fn id(event: &Event<'_>, pen: &mut Pen<'_>) {
    pen.name(event.run);
    pen.literal(b"-");
    pen.name(event.truck_id);
    pen.literal(b"-");
    pen.number(event.codigo.into());
    pen.literal(b"-");
    pen.number(event.seq);
}

#[inline]
fn readings(event: &Event<'_>, pen: &mut Pen<'_>) {
    let r = &event.readings;
    pen.literal(b",\"lat\":");
    pen.fixed::<5>(r.lat_e5.into());
    pen.literal(b",\"lon\":");
    pen.fixed::<5>(r.lon_e5.into());
    pen.literal(b",\"speed\":");
    pen.fixed::<1>(r.speed_tenths.into());
    pen.literal(b",\"fuel\":");
    pen.fixed::<1>(r.fuel_tenths.into());
    pen.literal(b",\"odo\":");
    pen.fixed::<1>(r.odo_tenths.min(i64::MAX as u64) as i64);
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Readings};
    use super::encode;

    #[test]
    fn the_bytes_are_those_of_the_design() {
        let event = Event {
            run: "7f3a91c2",
            codigo: 300,
            truck_id: "BR04217",
            seq: 18231,
            ts: 1_763_701_200_123,
            readings: Readings {
                lat_e5: -2_355_052,
                lon_e5: -4_663_331,
                speed_tenths: 824,
                fuel_tenths: 612,
                odo_tenths: 1_827_332,
            },
        };
        let mut out = Vec::new();
        encode(&event, &mut out);
        let want = r#"{"v":1,"id":"7f3a91c2-BR04217-300-18231","codigo":300,"truck_id":"BR04217","seq":18231,"ts":1763701200123,"lat":-23.55052,"lon":-46.63331,"speed":82.4,"fuel":61.2,"odo":182733.2}"#;
        assert_eq!(String::from_utf8_lossy(&out), want);
    }

    #[test]
    fn the_largest_numbers_have_room() {
        let readings = Readings {
            lat_e5: i32::MIN,
            lon_e5: i32::MIN,
            speed_tenths: u32::MAX,
            fuel_tenths: u32::MAX,
            odo_tenths: u64::MAX,
        };
        let name = "0".repeat(500);
        let event = Event { run: &name, codigo: u32::MAX, truck_id: &name, seq: u64::MAX, ts: i64::MIN, readings };
        let mut out = Vec::new();
        encode(&event, &mut out);
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!((value["seq"].as_u64(), value["ts"].as_i64()), (Some(u64::MAX), Some(i64::MIN)));
    }
}
