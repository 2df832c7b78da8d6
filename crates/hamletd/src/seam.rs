//! temporary
#![allow(missing_docs)]
use hamlet_model::*;
use hamlet_store::*;
pub struct Sap {
    pub store: Store,
}
impl Sap {
    pub async fn create_account(&self, user: &UserId, password: &str) -> Result<(), Refusal> {
        if password.len() > 255 || user.user().contains('~') {
            return Err(StatusCode::BAD_PARAMETER.into());
        }
        let account = Account {
            user: user.clone(),
            credential: Some(password.as_bytes().to_vec()),
            status: AccountStatus::Active,
            created: Timestamp::now(),
        };
        match self
            .store
            .write(move |tx| tx.create_account(&account))
            .await
        {
            Ok(true) => Ok(()),
            Ok(false) => Err(StatusCode::FORBIDDEN.into()),
            Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE.into()),
        }
    }
    pub async fn change_password(&self, user: &UserId, password: &str) -> Result<(), Refusal> {
        let (user, p) = (user.clone(), password.as_bytes().to_vec());
        match self
            .store
            .write(move |tx| tx.set_credential(&user, Some(&p)))
            .await
        {
            Ok(true) => Ok(()),
            Ok(false) => Err(StatusCode::UNKNOWN_USER.into()),
            Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE.into()),
        }
    }
    pub async fn delete_account(&self, user: &UserId) -> Result<(), Refusal> {
        let user = user.clone();
        match self.store.write(move |tx| tx.delete_account(&user)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StatusCode::UNKNOWN_USER.into()),
            Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE.into()),
        }
    }
    pub async fn end_session(&self, id: &SessionId, code: StatusCode) -> bool {
        let id = id.clone();
        self.store
            .write(move |tx| Ok(tx.end_session(&id, code.0, Timestamp::now())?.is_some()))
            .await
            .unwrap_or(false)
    }
    pub async fn end_sessions_of(&self, _user: &UserId, _code: StatusCode) {}
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
