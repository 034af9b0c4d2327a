//! Writes an event as the JSON that travels, without allocating.

use super::{Event, VERSION};

/// Appends the event's JSON to `out`; members stand in the order of the schema.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    let mut int = itoa::Buffer::new();
    out.extend_from_slice(b"{\"v\":");
    out.extend_from_slice(int.format(VERSION).as_bytes());
    out.extend_from_slice(b",\"id\":\"");
    id(event, out);
    out.extend_from_slice(b"\",\"codigo\":");
    out.extend_from_slice(int.format(event.codigo).as_bytes());
    out.extend_from_slice(b",\"truck_id\":\"");
    out.extend_from_slice(event.truck_id.as_bytes());
    out.extend_from_slice(b"\",\"seq\":");
    out.extend_from_slice(int.format(event.seq).as_bytes());
    out.extend_from_slice(b",\"ts\":");
    out.extend_from_slice(int.format(event.ts).as_bytes());
    readings(event, out);
    out.push(b'}');
}

/// Appends `{run}-{truck_id}-{codigo}-{seq}`, the event's id.
pub(super) fn id(event: &Event<'_>, out: &mut Vec<u8>) {
    let mut int = itoa::Buffer::new();
    out.extend_from_slice(event.run.as_bytes());
    out.push(b'-');
    out.extend_from_slice(event.truck_id.as_bytes());
    out.push(b'-');
    out.extend_from_slice(int.format(event.codigo).as_bytes());
    out.push(b'-');
    out.extend_from_slice(int.format(event.seq).as_bytes());
}

fn readings(event: &Event<'_>, out: &mut Vec<u8>) {
    let r = &event.readings;
    out.extend_from_slice(b",\"lat\":");
    fixed(i64::from(r.lat_e5), 5, out);
    out.extend_from_slice(b",\"lon\":");
    fixed(i64::from(r.lon_e5), 5, out);
    out.extend_from_slice(b",\"speed\":");
    fixed(i64::from(r.speed_tenths), 1, out);
    out.extend_from_slice(b",\"fuel\":");
    fixed(i64::from(r.fuel_tenths), 1, out);
    out.extend_from_slice(b",\"odo\":");
    fixed(r.odo_tenths.min(i64::MAX as u64) as i64, 1, out);
}

/// Appends `value / 10^places` with exactly `places` digits behind the point.
fn fixed(value: i64, places: u32, out: &mut Vec<u8>) {
    let unit = 10u64.pow(places);
    let magnitude = value.unsigned_abs();
    let mut int = itoa::Buffer::new();
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(int.format(magnitude / unit).as_bytes());
    out.push(b'.');
    let fraction = int.format(magnitude % unit);
    for _ in fraction.len()..places as usize {
        out.push(b'0');
    }
    out.extend_from_slice(fraction.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Readings};
    use super::{encode, fixed};

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
    fn fixed_point_keeps_leading_zeros_and_the_sign_below_one() {
        for (value, places, want) in
            [(-5, 5, "-0.00005"), (0, 1, "0.0"), (105, 2, "1.05"), (-9_000_000, 5, "-90.00000")]
        {
            let mut out = Vec::new();
            fixed(value, places, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }
}
