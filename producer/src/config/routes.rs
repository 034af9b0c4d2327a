//! The list `[[routes]]` as it is meant.

use super::{Raw, SourceConfig};
use crate::route::{RouteRaw, Router};
use runtime::config::{ConfigError, Settings};

/// Every route has a topic that Kafka takes, every route can be reached, and every code of the profile has one.
pub(super) fn router(settings: &Settings, raw: &Raw, source: &SourceConfig) -> Result<Router, ConfigError> {
    if raw.routes.is_empty() {
        return Err(settings.refuse("routes", "write at least one [[routes]] with codigo and topic"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    for (place, route) in raw.routes.iter().enumerate() {
        let topic = &route.topic;
        // Room for `.dlq` and `.retry.30s` behind the name; Kafka takes 249 characters.
        if topic.is_empty() || topic.len() > 230 || !topic.chars().all(plain) || topic.starts_with('.') {
            let key = format!("routes[{place}].topic");
            return Err(settings.refuse(&key, "allowed are 1 to 230 letters, digits, '.', '_' and '-'"));
        }
    }
    all_reached(settings, &raw.routes)?;
    let router = Router::new(&raw.routes);
    let codes = if let SourceConfig::Generator(profile) = source { profile.codes.codes.as_slice() } else { &[] };
    if let Some(codigo) = codes.iter().find(|codigo| router.find(**codigo).is_none()) {
        let sentence =
            format!("the profile makes codigo {codigo} and no route holds it: add a route, or one for \"*\"");
        return Err(settings.refuse("routes", sentence));
    }
    Ok(router)
}

/// The first match wins, so a route behind one that takes all of its codes never sees an event.
fn all_reached(settings: &Settings, routes: &[RouteRaw]) -> Result<(), ConfigError> {
    for (place, route) in routes.iter().enumerate() {
        if let Some(first) = routes[..place].iter().position(|earlier| earlier.codigo.covers(&route.codigo)) {
            let sentence = format!(
                "this route can never be reached: routes[{first}] (`{}`) stands before it and takes everything that it holds",
                routes[first].codigo
            );
            return Err(settings.refuse(&format!("routes[{place}].codigo"), sentence));
        }
    }
    Ok(())
}
