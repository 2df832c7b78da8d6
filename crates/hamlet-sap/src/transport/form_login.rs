//! The web form by which clients of a Colibria server log in (clients 5.1, MOV-1): made a
//! Login-Request of CSP 1.2 in XML, which then goes the way of every other one, with its checks
//! and its limits. Pure.

use hamlet_csp::elements::{ClientId, LoginRequest};
use hamlet_csp::{
    Document, Message, SessionDescriptor, Syntax, Transaction, Version, WriteOptions, encode,
};
use hamlet_model::Timestamp;

/// The media type of what [`login_of`] makes.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.wv.csp.xml";
/// The marks of the clients that have this form (clients 641), for those that give none.
const COOKIE: &str = "ColibriaIMPS";
const CLIENT: &str = "WV:InstantMessenger";
/// Longest field, octets once it is decoded.
const LONGEST: usize = 255;

/// The Login-Request for a form; `None` for one that is none.
pub(crate) fn login_of(form: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let form = std::str::from_utf8(form).ok()?;
    let field = |name: &str| -> Option<String> {
        let pairs = form
            .trim()
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(known, _)| *known == name);
        let value = decoded(values.next()?.1)?;
        (!value.is_empty() && value.len() <= LONGEST).then_some(value)
    };
    if field("TM_ACTION")? != "AUTHENTICATE" {
        return None;
    }
    let or = |name: &str, usual: &str| field(name).unwrap_or_else(|| usual.to_owned());
    let request = LoginRequest {
        user_id: Some(field("TM_LOGIN")?.into()),
        password: Some(field("TM_PASSWORD")?.into()),
        client_id: Some(ClientId {
            url: Some(or("ClientID", CLIENT).into()),
            ..ClientId::default()
        }),
        session_cookie: Some(or("SessionCookie", COOKIE).into()),
        ..LoginRequest::default()
    };
    // Each form is another login, so each has another TransactionID.
    let id = now.millis().to_string();
    let message = Message {
        session: SessionDescriptor::outband(),
        transactions: vec![Transaction::request(id, request)],
        poll: None,
        cir: None,
    };
    let options = WriteOptions::default();
    let document = Document::Message(message);
    Some(encode(&document, Syntax::Xml, Version::V1_2, &options))
}

/// Percent encoding, with `+` for a blank; `None` for what is no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        octets.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                rest = after;
                let digits = std::str::from_utf8(digits).ok()?;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::decode;
    use hamlet_csp::elements::Primitive;

    const FORM: &str = "TM_ACTION=AUTHENTICATE&TM_LOGIN=600000001&TM_PASSWORD=p%26w+%C3%A9&SessionCookie=ColibriaIMPS_367918656&ClientID=WV%3AInstantMessenger-1.0.2309.16485%40COLIBRIA.PC-CLIENT";

    fn login(form: &str) -> Option<LoginRequest> {
        let body = login_of(form.as_bytes(), Timestamp::from_millis(1))?;
        let decoded = decode(&body, Syntax::Xml).unwrap();
        assert_eq!(decoded.version, Some(Version::V1_2));
        let Document::Message(message) = decoded.document else {
            panic!("a message");
        };
        match message.transactions.into_iter().next()?.content {
            Ok(Primitive::LoginRequest(request)) => Some(*request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_form_of_the_clients_becomes_a_login() {
        let request = login(FORM).unwrap();
        assert_eq!(request.user_id.as_deref(), Some("600000001"));
        assert_eq!(request.password.as_deref(), Some("p&w é"));
        let cookie = request.session_cookie.as_deref();
        assert_eq!(cookie, Some("ColibriaIMPS_367918656"));
        let url = request.client_id.and_then(|client| client.url);
        assert_eq!(
            url.as_deref(),
            Some("WV:InstantMessenger-1.0.2309.16485@COLIBRIA.PC-CLIENT")
        );
        let short = login("TM_ACTION=AUTHENTICATE&TM_LOGIN=a&TM_PASSWORD=b\r\n").unwrap();
        assert_eq!(short.session_cookie.as_deref(), Some(COOKIE));
    }

    #[test]
    fn what_is_no_such_form_is_no_login() {
        for form in [
            "",
            "TM_LOGIN=a&TM_PASSWORD=b",
            "TM_ACTION=LOGOUT&TM_LOGIN=a&TM_PASSWORD=b",
            "TM_ACTION=AUTHENTICATE&TM_LOGIN=a",
            "TM_ACTION=AUTHENTICATE&TM_LOGIN=&TM_PASSWORD=b",
            "TM_ACTION=AUTHENTICATE&TM_LOGIN=a&TM_PASSWORD=%4",
            "TM_ACTION=AUTHENTICATE&TM_LOGIN=a&TM_PASSWORD=%zz",
            "TM_ACTION=AUTHENTICATE&TM_LOGIN=a&TM_PASSWORD=%ff",
            &format!(
                "TM_ACTION=AUTHENTICATE&TM_LOGIN={}&TM_PASSWORD=b",
                "a".repeat(256)
            ),
        ] {
            assert_eq!(login(form), None, "{form}");
        }
        assert_eq!(login_of(b"\xff\xfe", Timestamp::from_millis(1)), None);
    }
}
