//! A header whose name is no UTF-8, as a client may write one that does not look: it stops nobody.

use crate::DEADLINE;
use crate::world::World;
use rdkafka::bindings as rdsys;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::BaseRecord;
use std::ptr;

/// One header with this name, which rdkafka itself would not write.
fn strange(name: &[u8]) -> OwnedHeaders {
    let headers = OwnedHeaders::new();
    // SAFETY: rdkafka gives librdkafka's header list by its address, as a type without a size; the list is ours alone, and name and value
    // are copied.
    let answer = unsafe {
        let list = ptr::from_ref(headers.as_borrowed()).cast_mut().cast::<rdsys::rd_kafka_headers_t>();
        rdsys::rd_kafka_header_add(list, name.as_ptr().cast(), name.len().cast_signed(), b"x".as_ptr().cast(), 1)
    };
    assert_eq!(answer, rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_with_a_strange_header_is_delivered_or_set_aside_like_any_other() {
    let mut world = World::embedded("strange").await;
    let consumer = world.start(&[]);
    let (key, good) = world.events.next();
    for value in [good.as_slice(), b"no json"] {
        let record = BaseRecord::to(&world.topic).key(&key).payload(value).headers(strange(b"caf\xe9"));
        world.producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    world.produce(10);
    world.wait_committed(DEADLINE).await;
    world.assert_delivered(world.events.made());
    let letters = world.reader.letters();
    assert_eq!((letters.len(), letters[0].headers[0].0.as_str()), (1, "caf\u{fffd}"), "{letters:?}");
    consumer.stop().await;
}
