//! One page of a browser: shown, asked, printed, photographed.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::Handle;
use super::error::Error;
use super::request::{self, Verdict};
use super::wire::{Caller, Event};
use crate::project::media::media_type;

/// Chromium takes no message of 100 MB.
const LARGEST_FILE: u64 = 70 << 20;
/// So many refused addresses are remembered.
const MOST_REFUSED: usize = 100;
/// What the deck's own scripts may do: nothing that requests would not show.
const POLICY: &str = "connect-src 'self'; object-src 'none'";

/// A page to show, with the files it may ask for.
pub struct Content<'a> {
    /// The page.
    pub html: String,
    /// The deck's files, by number.
    pub files: Vec<PathBuf>,
    /// The file that an address of the deck means, when the deck may show it.
    pub own: &'a (dyn Fn(&str) -> Option<PathBuf> + Sync),
}

/// How large a page is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Width in CSS pixels.
    pub width: f64,
    /// Height in CSS pixels.
    pub height: f64,
    /// Pixels of a picture for a CSS pixel.
    pub scale: f64,
}

/// What a page asked for and did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The address, as the deck has it where that is known.
    pub address: String,
    /// Why, when it is one of the deck's own files.
    pub why: Option<String>,
}

/// A page.
#[derive(Debug)]
pub struct Tab {
    caller: Caller,
    browser: Caller,
    target: String,
    loaded: Arc<Notify>,
}

/// Answers what a page asks for.
pub struct Usher<'a> {
    caller: Caller,
    events: mpsc::Receiver<Event>,
    content: &'a Content<'a>,
    allow_remote: bool,
    loaded: Arc<Notify>,
    refused: Vec<Refused>,
}

impl Handle {
    /// Opens a page. It is shown by [`Tab::load`], while its usher is at work.
    ///
    /// # Errors
    /// When the browser does not open it.
    pub async fn open<'a>(&self, content: &'a Content<'a>, view: View) -> Result<(Tab, Usher<'a>), Error> {
        const OPENING: &str = "opening a page";
        let browser = self.caller.clone();
        let made = browser.call(OPENING, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        let target = made["targetId"].as_str().unwrap_or_default().to_owned();
        let attach = json!({ "targetId": target, "flatten": true });
        let attached = browser.call(OPENING, "Target.attachToTarget", attach).await?;
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        let (caller, events) = browser.page(session).await;
        let metrics = json!({
            "width": view.width.ceil(), "height": view.height.ceil(),
            "deviceScaleFactor": view.scale, "mobile": false,
        });
        caller.call(OPENING, "Page.enable", json!({})).await?;
        caller.call(OPENING, "Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }] })).await?;
        caller.call(OPENING, "Emulation.setDeviceMetricsOverride", metrics).await?;
        caller.call(OPENING, "Emulation.setEmulatedMedia", json!({ "media": "print" })).await?;
        let loaded = Arc::new(Notify::new());
        let usher = Usher {
            caller: caller.clone(),
            events,
            content,
            allow_remote: self.allow_remote,
            loaded: loaded.clone(),
            refused: Vec::new(),
        };
        Ok((Tab { caller, browser, target, loaded }, usher))
    }
}

impl Tab {
    /// Shows the page, and waits for it and all its files.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn load(&self) -> Result<(), Error> {
        const DOING: &str = "loading the slides";
        let loading = async {
            let answer = self.caller.call(DOING, "Page.navigate", json!({ "url": request::page() })).await?;
            if let Some(message) = answer["errorText"].as_str() {
                return Err(Error::Answer { doing: DOING, message: message.to_owned() });
            }
            self.loaded.notified().await;
            Ok(())
        };
        match self.caller.limit() {
            None => loading.await,
            Some(limit) => {
                tokio::time::timeout(limit, loading).await.unwrap_or(Err(Error::Slow { doing: DOING, limit }))
            }
        }
    }

    /// The value of a JavaScript expression; promises are waited for.
    ///
    /// # Errors
    /// When it throws, or takes too long.
    pub async fn evaluate(&self, doing: &'static str, expression: &str) -> Result<Value, Error> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.caller.call(doing, "Runtime.evaluate", params).await?;
        let thrown = &answer["exceptionDetails"];
        if thrown.is_object() {
            let message = thrown["exception"]["description"].as_str().or(thrown["text"].as_str());
            let message = message.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
            return Err(Error::Answer { doing, message });
        }
        Ok(answer["result"]["value"].take())
    }

    /// A picture of what is in view: `png` or `jpeg`.
    ///
    /// # Errors
    /// When the browser makes none.
    pub async fn picture(&self, format: &str, quality: Option<u8>) -> Result<Vec<u8>, Error> {
        const DOING: &str = "taking a picture";
        let mut params = json!({ "format": format, "captureBeyondViewport": false });
        if let Some(quality) = quality {
            params["quality"] = quality.into();
        }
        let answer = self.caller.call(DOING, "Page.captureScreenshot", params).await?;
        decoded(DOING, &answer)
    }

    /// Lets what no slide covers be transparent.
    ///
    /// # Errors
    /// When the browser does not.
    pub async fn transparent(&self) -> Result<(), Error> {
        let params = json!({ "color": { "r": 0, "g": 0, "b": 0, "a": 0 } });
        self.caller.call("preparing pictures", "Emulation.setDefaultBackgroundColorOverride", params).await?;
        Ok(())
    }

    /// Prints the page, on sheets of the size that its CSS says.
    ///
    /// # Errors
    /// When the browser prints nothing, or takes longer than `limit`.
    pub async fn print(&self, limit: Option<Duration>) -> Result<Vec<u8>, Error> {
        const DOING: &str = "printing";
        let params = json!({
            "printBackground": true, "preferCSSPageSize": true, "displayHeaderFooter": false,
            "marginTop": 0, "marginBottom": 0, "marginLeft": 0, "marginRight": 0,
            "generateTaggedPDF": true, "transferMode": "ReturnAsStream",
        });
        let caller = self.caller.within(limit);
        let printed = caller.call(DOING, "Page.printToPDF", params).await?;
        let stream = &printed["stream"];
        let mut pdf = Vec::new();
        loop {
            let read = json!({ "handle": stream, "size": 8 << 20 });
            let part = caller.call(DOING, "IO.read", read).await?;
            match part["base64Encoded"].as_bool() {
                Some(true) => pdf.extend(decoded(DOING, &part)?),
                _ => pdf.extend_from_slice(part["data"].as_str().unwrap_or_default().as_bytes()),
            }
            if part["eof"].as_bool() != Some(false) {
                break;
            }
        }
        caller.call(DOING, "IO.close", json!({ "handle": stream })).await?;
        Ok(pdf)
    }

    /// Closes the page; its memory is free for others.
    pub async fn close(self) {
        let close = json!({ "targetId": self.target });
        // When that fails the browser is ending anyway.
        let _ = self.browser.call("closing a page", "Target.closeTarget", close).await;
    }
}

fn decoded(doing: &'static str, answer: &Value) -> Result<Vec<u8>, Error> {
    let data = answer["data"].as_str().unwrap_or_default();
    BASE64.decode(data).map_err(|error| Error::Answer { doing, message: format!("what it sent is broken: {error}") })
}

impl Usher<'_> {
    /// Does some work with the page, whose requests are answered meanwhile.
    ///
    /// # Errors
    /// When the work fails, or the page crashes.
    pub async fn beside<T, E: From<Error>>(&mut self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        tokio::select! {
            biased;
            error = self.serve() => Err(error.into()),
            done = work => done,
        }
    }

    /// What the page did not get so far.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    async fn serve(&mut self) -> Error {
        const DOING: &str = "showing the slides";
        while let Some(Event { method, params }) = self.events.recv().await {
            let done = match method.as_str() {
                "Fetch.requestPaused" => self.request(&params).await,
                "Page.loadEventFired" => {
                    self.loaded.notify_one();
                    Ok(())
                }
                "Page.javascriptDialogOpening" => {
                    let accept = json!({ "accept": true });
                    self.caller.call(DOING, "Page.handleJavaScriptDialog", accept).await.map(|_| ())
                }
                "Inspector.targetCrashed" => return Error::Crashed { doing: DOING },
                _ => Ok(()),
            };
            match done {
                // A request that the page gave up meanwhile, for example.
                Ok(()) | Err(Error::Answer { .. }) => {}
                Err(error) => return error,
            }
        }
        Error::Gone { doing: DOING, words: String::new() }
    }

    async fn request(&mut self, params: &Value) -> Result<(), Error> {
        let id = params["requestId"].clone();
        let url = params["request"]["url"].as_str().unwrap_or_default();
        match request::judge(url, self.allow_remote) {
            Verdict::Page => self.answer(id, "text/html; charset=utf-8", self.content.html.as_bytes()).await,
            Verdict::File(number) => match self.content.files.get(number) {
                Some(path) => self.file(id, path.clone()).await,
                None => self.fail(id).await,
            },
            Verdict::Pass => self.reply("Fetch.continueRequest", json!({ "requestId": id })).await,
            Verdict::Refuse(address) => {
                let own = if address.contains(':') { None } else { (self.content.own)(&address) };
                if let Some(path) = own {
                    return self.file(id, path).await;
                }
                self.refuse(Refused { address, why: None });
                self.fail(id).await
            }
        }
    }

    async fn file(&mut self, id: Value, path: PathBuf) -> Result<(), Error> {
        let read = async {
            let size = tokio::fs::metadata(&path).await?.len();
            if size > LARGEST_FILE {
                let message = format!("it is larger than {} MB", LARGEST_FILE >> 20);
                return Err(std::io::Error::other(message));
            }
            tokio::fs::read(&path).await
        };
        match read.await {
            Ok(bytes) => self.answer(id, media_type(&path).unwrap_or("application/octet-stream"), &bytes).await,
            Err(error) => {
                let address = path.display().to_string();
                self.refuse(Refused { address, why: Some(error.to_string()) });
                self.fail(id).await
            }
        }
    }

    fn refuse(&mut self, refused: Refused) {
        let known = self.refused.contains(&refused) || refused.address == "/favicon.ico";
        if !known && self.refused.len() < MOST_REFUSED {
            self.refused.push(refused);
        }
    }

    async fn answer(&self, id: Value, media_type: &str, body: &[u8]) -> Result<(), Error> {
        let mut headers = vec![json!({ "name": "Content-Type", "value": media_type })];
        if !self.allow_remote {
            headers.push(json!({ "name": "Content-Security-Policy", "value": POLICY }));
        }
        let body = BASE64.encode(body);
        let params = json!({ "requestId": id, "responseCode": 200, "responseHeaders": headers, "body": body });
        self.reply("Fetch.fulfillRequest", params).await
    }

    async fn fail(&self, id: Value) -> Result<(), Error> {
        self.reply("Fetch.failRequest", json!({ "requestId": id, "errorReason": "BlockedByClient" })).await
    }

    async fn reply(&self, method: &'static str, params: Value) -> Result<(), Error> {
        self.caller.call("giving the slides their files", method, params).await.map(|_| ())
    }
}
