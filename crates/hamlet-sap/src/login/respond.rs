//! Login-Request and its response, in the order of the checks of csp-access 3.3.

use crate::Sap;
use crate::client_profile::{ClientMarks, ClientProfile};
use crate::envelope::exchange::Around;
use crate::login::authenticate::Authenticated;
use crate::login::resume::{self, Wanted};
use crate::login::system_messages::Messages;
use crate::mapping::{Facts, address, result, system_message};
use crate::negotiation::capability::Capabilities;
use crate::negotiation::capability_answer::{self, Surroundings};
use crate::negotiation::cir::{self, CirAgreement};
use crate::negotiation::delivery_method::GroupDelivery;
use crate::negotiation::keep_alive;
use crate::negotiation::notifications::Subscriptions;
use crate::negotiation::service::Agreement;
use crate::session::id::new_session_id;
use crate::session::{NewSession, Session, Settings};
use crate::suspicion::Suspicion;
use hamlet_csp::Version;
use hamlet_csp::elements::{CapabilityList, CspResult, LoginRequest, LoginResponse};
use hamlet_elements::system_message::SystemMessageShown;
use hamlet_model::{ApplicationId, ClientId, Refusal, ServiceSet, StatusCode, Timestamp, UserId};
use std::sync::Arc;

/// A Login-Request with what has been found out about it.
pub(crate) struct Login<'a> {
    pub(crate) request: &'a LoginRequest,
    pub(crate) around: &'a Around<'a>,
    pub(crate) user: UserId,
    pub(crate) client: ClientId,
    pub(crate) application: Option<ApplicationId>,
    pub(crate) profile: ClientProfile,
    pub(crate) now: Timestamp,
    /// What the session may use; known when it has been admitted.
    pub(crate) services: ServiceSet,
    /// It is an application itself that logs in.
    pub(crate) own: bool,
}

/// How a login goes on.
pub(crate) enum Step {
    /// The client has to prove who it is (csp-access 3.2).
    Challenge { nonce: String, schema: &'static str },
    /// The user has to answer these first (csp-access 12), with a new proof if he is
    /// challenged.
    Questions {
        messages: Vec<SystemMessageShown>,
        challenge: Option<(String, &'static str)>,
    },
    /// It has a session.
    Session {
        session: Arc<Session>,
        /// Its capabilities have to be negotiated.
        capability_request: bool,
        /// What the client did not know before.
        told: Told,
        /// What the operator has to say to the user.
        messages: Vec<SystemMessageShown>,
    },
}

/// What a client is told of the user that the server has found or made for it
/// (csp-access 3.6, 3.7).
#[derive(Default)]
pub(crate) struct Told {
    user: Option<UserId>,
    password: Option<String>,
}

impl Step {
    /// With what the operator has to say, if the user gets in.
    fn telling(mut self, all: Vec<SystemMessageShown>) -> Self {
        if let Self::Session { messages, .. } = &mut self {
            *messages = all;
        }
        self
    }
}

impl Sap {
    /// Answers a Login-Request; `named` is the SessionID of the SessionDescriptor, `id` the
    /// TransactionID.
    pub(crate) async fn login(
        &self,
        request: LoginRequest,
        named: Option<&str>,
        id: &str,
        around: &Around<'_>,
    ) -> (LoginResponse, Option<Arc<Session>>) {
        let client = request.client_id.as_ref().and_then(address::client);
        let profile = ClientProfile::detect(&ClientMarks {
            user_agent: around.inbound.user_agent,
            client_id: client.as_ref(),
            cookie: request.session_cookie.as_deref(),
            transaction_id: Some(id),
            version: around.version,
            syntax: around.syntax,
        });
        let facts = Facts {
            version: around.version,
            home: &self.config.domain,
            profile: &profile,
        };
        let outcome = self
            .login_step(&request, named, id, around, client, &profile)
            .await;
        let answer = LoginResponse {
            client_id: request.client_id.clone(),
            ..LoginResponse::default()
        };
        match outcome {
            Ok(Step::Challenge { nonce, schema }) => {
                self.metrics.login("challenged");
                let response = LoginResponse {
                    result: Some(result::result(StatusCode::UNAUTHORIZED, "", &[], &facts)),
                    nonce: Some(nonce.into()),
                    digest_schema: Some(schema.into()),
                    ..answer
                };
                (response, None)
            }
            Ok(Step::Questions {
                messages,
                challenge,
            }) => {
                self.metrics.login("questioned");
                let code = StatusCode::UNAUTHORIZED;
                let (nonce, schema) = challenge.unzip();
                let response = LoginResponse {
                    result: Some(system_message::with_messages(code, &messages, &facts)),
                    nonce: nonce.map(Into::into),
                    digest_schema: schema.map(Into::into),
                    ..answer
                };
                (response, None)
            }
            Ok(Step::Session {
                session,
                capability_request,
                told,
                messages,
            }) => {
                self.metrics.login("succeeded");
                let list = (!messages.is_empty()).then(|| system_message::list(&messages));
                let answer = LoginResponse {
                    user_id: told.user.map(|user| user.as_str().into()),
                    password: told.password.map(Into::into),
                    ..answer
                };
                let response = LoginResponse {
                    result: Some(CspResult {
                        system_message_list: list,
                        ..result::success()
                    }),
                    session_id: Some(session.id.as_str().into()),
                    keep_alive_time: Some(seconds(&session)),
                    capability_request: Some(capability_request),
                    ..self.embedded(&request, &session, around, answer)
                };
                (response, Some(session))
            }
            Err(refusal) => {
                self.metrics.login("refused");
                let user = request.user_id.as_deref().unwrap_or("");
                // Each one for who looks for a phone's; the warning is bounded.
                tracing::debug!(user, code = refusal.code.0, "login refused");
                let about = format_args!("{:?} {}", clip(user), refusal.code.0);
                let peer = around.inbound.peer;
                self.suspicions.note(peer, Suspicion::LoginRefused, about);
                let result = result::result(refusal.code, &refusal.description, &[], &facts);
                let response = LoginResponse {
                    result: Some(result),
                    ..answer
                };
                (response, None)
            }
        }
    }

    async fn login_step(
        &self,
        request: &LoginRequest,
        named: Option<&str>,
        id: &str,
        around: &Around<'_>,
        client: Option<ClientId>,
        profile: &ClientProfile,
    ) -> Result<Step, Refusal> {
        // Check 1; others may still resume what they have.
        if self.is_stopping() {
            return Err(StatusCode::SERVICE_UNAVAILABLE.into());
        }
        // Checks 2 and 5.
        let unknown = || Refusal::new(StatusCode::UNKNOWN_USER);
        let (user, told) = match request.user_id.as_deref() {
            Some(given) => {
                let user = UserId::parse(given, &self.config.domain);
                (user.map_err(|_| unknown())?, Told::default())
            }
            None => {
                let found = self.user_of_network(around).await?;
                let told = Told {
                    user: (around.version == Version::V1_3).then(|| found.user.clone()),
                    password: found.password,
                };
                (found.user, told)
            }
        };
        if user.domain_str() != self.config.domain.as_str() {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        let mut login = Login {
            request,
            around,
            user,
            client: client.unwrap_or_default(),
            application: request.application_id.as_deref().map(ApplicationId::new),
            profile: profile.clone(),
            now: Timestamp::now(),
            services: ServiceSet::ALL,
            own: false,
        };
        // Checks 6 to 10.
        let (ttl, schema) = match self.authenticate(&login).await? {
            Authenticated::Yes {
                time_to_live,
                schema,
            } => (time_to_live, schema),
            Authenticated::Challenge { nonce, schema } => {
                return Ok(Step::Challenge { nonce, schema });
            }
        };
        let admission = self.admit(&login).await?;
        login.application = admission.application;
        login.services = admission.services;
        login.own = admission.own;
        // Check 15, before there is a session.
        let messages = match self.system_messages(&login).await? {
            Messages::Told(messages) => messages,
            Messages::ToBeAnswered(messages) => {
                let challenge = self.challenge_again(&login, schema).await?;
                return Ok(Step::Questions {
                    messages,
                    challenge,
                });
            }
        };
        // Checks 11 to 14.
        let step = self.find_or_open(&login, named, id, ttl, told).await?;
        if let Step::Session { session, .. } = &step {
            self.have_been_told(session, &messages).await;
        }
        Ok(step.telling(messages))
    }

    /// Finds or makes the session.
    async fn find_or_open(
        &self,
        login: &Login<'_>,
        named: Option<&str>,
        id: &str,
        ttl: Option<u32>,
        told: Told,
    ) -> Result<Step, Refusal> {
        let wanted = Wanted {
            element: login.request.session_id.as_deref(),
            descriptor: named,
        };
        let registry = &self.hub.registry;
        let live = wanted.id()?.and_then(|id| registry.session(id));
        let same = registry.find(&login.user, &login.client, login.application.as_ref());
        let verdict = resume::decide(&wanted, live.as_deref(), same.as_deref(), login)?;
        let settings = self.settings(login, id, ttl);
        let resumed = match verdict {
            resume::Verdict::Resume => live.or(same),
            resume::Verdict::Open => None,
        };
        if let Some(session) = resumed {
            let renegotiated = self.resume_session(&session, settings).await?;
            return Ok(Step::Session {
                capability_request: !renegotiated,
                session,
                told,
                messages: Vec::new(),
            });
        }
        let capability_request = !settings.capabilities.negotiated;
        let new = NewSession {
            id: new_session_id().ok_or(StatusCode::INTERNAL_ERROR)?,
            user: login.user.clone(),
            client: login.client.clone(),
            application: login.application.clone(),
            version: login.around.version,
            created: login.now,
            settings,
        };
        let session = self.open_session(new).await?;
        self.auto_join(&session, false).await;
        Ok(Step::Session {
            session,
            capability_request,
            told,
            messages: Vec::new(),
        })
    }

    fn settings(&self, login: &Login<'_>, id: &str, ttl: Option<u32>) -> Settings {
        let version = login.around.version;
        let list = login.request.capability_list.as_ref();
        let functions = login.request.functions.as_ref();
        Settings {
            cookie: login.request.session_cookie.as_deref().map(clip),
            syntax: login.around.syntax,
            user_agent: login.around.inbound.user_agent.map(clip),
            login: Some(clip(id)),
            profile: login.profile.clone(),
            keep_alive: keep_alive::at_login(ttl, &self.config.session),
            capabilities: match list {
                Some(list) => Capabilities {
                    cir: self.agree_cir_at_login(login, list),
                    ..Capabilities::negotiate(list, version, self.offer())
                },
                None => Capabilities::unknown(version, self.offer()),
            },
            group_delivery: GroupDelivery::default(),
            agreement: functions
                .map(|tree| Agreement::negotiate(Some(tree), version, login.services)),
            notifications: Subscriptions::default(),
            services: login.services,
            own: login.own,
        }
    }

    fn agree_cir_at_login(&self, login: &Login<'_>, list: &CapabilityList) -> CirAgreement {
        let cookie = login.request.session_cookie.as_deref();
        let (version, inbound) = (login.around.version, login.around.inbound);
        let none = CirAgreement::default();
        self.agree_cir(list, version, cookie, inbound, &none).0
    }

    /// What 1.3 answers to lists that stood in the Login-Request (csp-access 6.1).
    fn embedded(
        &self,
        request: &LoginRequest,
        session: &Session,
        around: &Around<'_>,
        answer: LoginResponse,
    ) -> LoginResponse {
        if around.version != Version::V1_3 {
            return answer;
        }
        let settings = session.settings();
        let surroundings = Surroundings {
            version: around.version,
            secure: around.inbound.secure,
            list_first: settings.profile.capability_list_first,
            session_limit: self.config.session.max_per_user,
        };
        LoginResponse {
            functions: request
                .functions
                .as_ref()
                .and(settings.agreement.as_ref())
                .and_then(|agreement| agreement.denied(around.version)),
            agreed_capability_list: request.capability_list.as_ref().map(|list| {
                let capabilities = &settings.capabilities;
                let mut agreed = capability_answer::agreed_list(list, capabilities, surroundings);
                let offer = self.cir_offer(settings.cookie.as_deref(), around.inbound);
                cir::announce_in_list(&mut agreed, around.version, &capabilities.cir, &offer);
                agreed
            }),
            ..answer
        }
    }

    /// Takes the session up again with new settings (csp-access 3.8): what was negotiated
    /// stays unless it was negotiated anew in this login. Whether there are capabilities.
    async fn resume_session(&self, session: &Arc<Session>, new: Settings) -> Result<bool, Refusal> {
        session.heard(Timestamp::now(), true);
        let settings = session.change(|settings| {
            let capabilities = match new.capabilities.negotiated {
                true => Capabilities {
                    cir: new
                        .capabilities
                        .cir
                        .clone()
                        .after(&settings.capabilities.cir),
                    ..new.capabilities.clone()
                },
                false => settings.capabilities.clone(),
            };
            let agreement = new.agreement.or(settings.agreement);
            *settings = Settings {
                capabilities,
                agreement,
                notifications: settings.notifications,
                group_delivery: std::mem::take(&mut settings.group_delivery),
                ..new
            };
        });
        self.adopt_cir(session);
        self.persist(session).await?;
        self.auto_join(session, false).await;
        Ok(settings.capabilities.negotiated)
    }
}

fn seconds(session: &Session) -> u32 {
    u32::try_from(session.settings().keep_alive.as_secs()).unwrap_or(u32::MAX)
}

fn clip(text: &str) -> String {
    text.chars().take(255).collect()
}

impl Wanted<'_> {
    /// The one SessionID that both places agree on.
    pub(crate) fn id(&self) -> Result<Option<&str>, Refusal> {
        match (self.element, self.descriptor) {
            (Some(one), Some(other)) if one != other => {
                Err(StatusCode::USER_CLIENT_MISMATCH.into())
            }
            (one, other) => Ok(one.or(other).filter(|id| !id.is_empty())),
        }
    }
}
