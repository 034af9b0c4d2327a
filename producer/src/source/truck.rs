//! A truck that moves plausibly: heading, speed with inertia, fuel that burns and is refilled, an odometer that only grows.
//!
//! Only additions, multiplications and divisions, which IEEE 754 defines to the last bit: the same seed makes the same journey
//! on every machine.

use domain::event::Readings;
use rand::{Rng, RngExt};

/// km/h gained per second, and lost per second.
const PULL: f64 = 3.0;
const BRAKE: f64 = 6.0;
const TOP_SPEED: f64 = 110.0;
/// A driver decides on a new speed about this often, in seconds.
const DECISION: f64 = 90.0;
/// Kilometres in a degree of latitude.
const DEGREE_KM: f64 = 111.2;
/// Per cent of the tank burnt per kilometre (600 l tank, 33 l per 100 km) and per hour standing with the engine on.
const BURN_PER_KM: f64 = 0.055;
const BURN_PER_HOUR: f64 = 0.4;
/// Filled up when below this per cent.
const RESERVE: f64 = 8.0;
/// Where the fleet drives, in degrees.
const SOUTH: f64 = -30.0;
const NORTH: f64 = -3.0;
const WEST: f64 = -60.0;
const EAST: f64 = -38.0;

/// One truck's state at the time of its last event.
#[derive(Debug, Clone)]
pub(super) struct Truck {
    lat: f64,
    lon: f64,
    /// The heading as a unit vector: north, east.
    north: f64,
    east: f64,
    speed: f64,
    wanted: f64,
    fuel: f64,
    odo: f64,
    /// Seconds since the start of the run.
    seen: f64,
}

impl Truck {
    pub(super) fn new<R: Rng>(rng: &mut R) -> Self {
        let (north, east) = turned(1.0, 0.0, (rng.random::<f64>() - 0.5) * 8.0);
        Self {
            lat: SOUTH + rng.random::<f64>() * (NORTH - SOUTH),
            lon: WEST + rng.random::<f64>() * (EAST - WEST),
            north,
            east,
            speed: rng.random::<f64>() * 90.0,
            wanted: rng.random::<f64>() * TOP_SPEED,
            fuel: 30.0 + rng.random::<f64>() * 70.0,
            odo: 100_000.0 + rng.random::<f64>() * 800_000.0,
            seen: 0.0,
        }
    }

    /// Drives on to `at`, seconds since the start of the run.
    pub(super) fn advance<R: Rng>(&mut self, at: f64, rng: &mut R) {
        let seconds = (at - self.seen).max(0.0);
        self.seen = at;
        let [mood, speed, wheel] = thirds(rng.random());
        if mood * DECISION < seconds {
            // One decision in five is a stop.
            self.wanted = ((speed - 0.2) / 0.8).max(0.0) * TOP_SPEED;
        }
        let before = self.speed;
        self.speed += (self.wanted - self.speed).clamp(-BRAKE * seconds, PULL * seconds);
        self.drive((before + self.speed) / 2.0 * seconds / 3600.0);
        self.burn(seconds, speed);
        let bend = (wheel - 0.5) * (0.02 * seconds).min(0.5);
        (self.north, self.east) = turned(self.north, self.east, bend);
    }

    fn drive(&mut self, km: f64) {
        self.odo += km;
        self.fuel -= km * BURN_PER_KM;
        self.lat += self.north * km / DEGREE_KM;
        self.lon += self.east * km / (DEGREE_KM * cosine(self.lat));
        // At the border of the country a truck turns back.
        if (self.lat < SOUTH && self.north < 0.0) || (self.lat > NORTH && self.north > 0.0) {
            self.north = -self.north;
        }
        if (self.lon < WEST && self.east < 0.0) || (self.lon > EAST && self.east > 0.0) {
            self.east = -self.east;
        }
    }

    fn burn(&mut self, seconds: f64, luck: f64) {
        self.fuel -= seconds / 3600.0 * BURN_PER_HOUR;
        if self.fuel < RESERVE {
            self.fuel = 95.0 + 5.0 * luck;
        }
    }

    /// When it was seen last; a part of the truck's other end, for who wants all of it in the cache.
    pub(super) fn seen(&self) -> f64 {
        self.seen
    }

    /// What the sensors say now, within the ranges of the schema.
    pub(super) fn readings(&self) -> Readings {
        Readings {
            lat_e5: (self.lat.clamp(-90.0, 90.0) * 1e5).round() as i32,
            lon_e5: (self.lon.clamp(-180.0, 180.0) * 1e5).round() as i32,
            speed_tenths: (self.speed * 10.0).round() as u32,
            fuel_tenths: (self.fuel.clamp(0.0, 100.0) * 10.0).round() as u32,
            odo_tenths: (self.odo * 10.0).round() as u64,
        }
    }
}

/// Three numbers in 0..1 out of one draw.
fn thirds(draw: u64) -> [f64; 3] {
    const BITS: u64 = 21;
    const UNIT: f64 = (1 << BITS) as f64;
    [0, BITS, 2 * BITS].map(|shift| ((draw >> shift) & ((1 << BITS) - 1)) as f64 / UNIT)
}

/// A unit vector turned by an angle whose half has the tangent `half`.
fn turned(north: f64, east: f64, half: f64) -> (f64, f64) {
    let square = half * half;
    let inverse = 1.0 / (1.0 + square);
    let (cos, sin) = ((1.0 - square) * inverse, 2.0 * half * inverse);
    let (north, east) = (north * cos - east * sin, north * sin + east * cos);
    // One step of Newton's towards 1 / length, which is 1 but for rounding.
    let scale = 1.5 - 0.5 * (north * north + east * east);
    (north * scale, east * scale)
}

/// The cosine of a latitude in degrees, to a thousandth for the latitudes that trucks reach.
fn cosine(degrees: f64) -> f64 {
    let square = (degrees * std::f64::consts::PI / 180.0) * (degrees * std::f64::consts::PI / 180.0);
    1.0 - square / 2.0 + square * square / 24.0
}

#[cfg(test)]
mod tests {
    use super::{BRAKE, PULL, Truck};
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    #[test]
    fn three_days_on_the_road_are_plausible() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        for _ in 0..20 {
            let mut truck = Truck::new(&mut rng);
            let (start, mut refills, mut stops) = (truck.odo, 0, 0);
            for second in 1..=3 * 24 * 3600 {
                let before = truck.clone();
                truck.advance(f64::from(second), &mut rng);
                let gain = truck.speed - before.speed;
                assert!((-BRAKE - 1e-9..=PULL + 1e-9).contains(&gain), "speed jumped by {gain}");
                let km = truck.odo - before.odo;
                let moved = moved_km(&before, &truck);
                assert!(km >= 0.0 && (km - moved).abs() < 1e-3, "odometer {km} km, position {moved} km");
                assert!((0.0..=100.0).contains(&truck.fuel) && (0.0..=110.0).contains(&truck.speed));
                refills += usize::from(truck.fuel > before.fuel);
                stops += usize::from(truck.speed == 0.0 && before.speed > 0.0);
            }
            let km = truck.odo - start;
            assert!((1_500.0..5_500.0).contains(&km), "{km} km in three days");
            assert!((1..=5).contains(&refills) && stops > 100, "{refills} refills, {stops} stops");
            assert!((-31.0..-2.0).contains(&truck.lat) && (-61.0..-37.0).contains(&truck.lon));
        }
    }

    fn moved_km(a: &Truck, b: &Truck) -> f64 {
        let north = (b.lat - a.lat) * super::DEGREE_KM;
        let east = (b.lon - a.lon) * super::DEGREE_KM * b.lat.to_radians().cos();
        north.hypot(east)
    }
}
