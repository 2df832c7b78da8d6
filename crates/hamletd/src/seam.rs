//! temporary
#![allow(missing_docs)]
use hamlet_model::*;
use hamlet_store::*;
pub struct Sap {
    pub store: Store,
}
impl Sap {
    pub async fn create_account(&self, user: &UserId, password: &str) -> Result<bool, StoreError> {
        let account = Account {
            user: user.clone(),
            credential: Some(password.as_bytes().to_vec()),
            status: AccountStatus::Active,
            created: Timestamp::now(),
        };
        self.store
            .write(move |tx| tx.create_account(&account))
            .await
    }
    pub async fn set_password(&self, user: &UserId, password: &str) -> Result<bool, StoreError> {
        let (user, p) = (user.clone(), password.as_bytes().to_vec());
        self.store
            .write(move |tx| tx.set_credential(&user, Some(&p)))
            .await
    }
    pub async fn delete_account(&self, user: &UserId) -> Result<bool, StoreError> {
        let user = user.clone();
        self.store.write(move |tx| tx.delete_account(&user)).await
    }
    pub async fn end_session(&self, id: &SessionId, code: StatusCode) -> Result<bool, StoreError> {
        let id = id.clone();
        self.store
            .write(move |tx| Ok(tx.end_session(&id, code.0, Timestamp::now())?.is_some()))
            .await
    }
}
impl Sap {
    pub async fn start(store: Store, _key: &[u8; 32]) -> Result<std::sync::Arc<Self>, StoreError> {
        Ok(std::sync::Arc::new(Self { store }))
    }
    pub async fn stop(&self) {}
    pub async fn serve(
        self: std::sync::Arc<Self>,
        listener: tokio::net::TcpListener,
        tls: Option<std::sync::Arc<rustls::ServerConfig>>,
        mut stop: tokio::sync::watch::Receiver<bool>,
    ) {
        let _ = (listener, tls, stop.wait_for(|s| *s).await.is_ok());
    }
}
