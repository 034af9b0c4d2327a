//! Fences in the table: read consistently, and written on the condition that the text is still the one that was read.

use super::{DynamoDbStore, failure, text};
use crate::dedupe::store::{FenceStore, StoreFailure};
use crate::together::BoxFuture;

const UNCHANGED: &str = "fence = :before";

impl FenceStore for DynamoDbStore {
    fn read<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>> {
        Box::pin(async move {
            let get = self.client.get_item().table_name(&self.table).key("pk", text(name)).consistent_read(true);
            let answer = get.send().await.map_err(failure)?;
            Ok(answer.item().and_then(|item| item.get("fence")?.as_s().ok().cloned()))
        })
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        before: Option<&'a str>,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>> {
        Box::pin(async move {
            match after {
                Some(after) => self.write(name, before, after).await,
                None => self.remove(name, before).await,
            }
        })
    }
}

impl DynamoDbStore {
    async fn write(&self, name: &str, before: Option<&str>, after: &str) -> Result<bool, StoreFailure> {
        let put = self.client.put_item().table_name(&self.table).item("pk", text(name));
        let put = put.item("fence", text(after)).item("expires", self.expires());
        let put = match before {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(before) => put.condition_expression(UNCHANGED).expression_attribute_values(":before", text(before)),
        };
        let Err(error) = put.send().await else { return Ok(true) };
        let moved = error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception());
        if moved { Ok(false) } else { Err(failure(error)) }
    }

    async fn remove(&self, name: &str, before: Option<&str>) -> Result<bool, StoreFailure> {
        let Some(before) = before else { return Ok(true) };
        let delete = self.client.delete_item().table_name(&self.table).key("pk", text(name));
        let delete = delete.condition_expression(UNCHANGED).expression_attribute_values(":before", text(before));
        let Err(error) = delete.send().await else { return Ok(true) };
        let moved = error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception());
        if moved { Ok(false) } else { Err(failure(error)) }
    }
}
