//! Tests of the hub's boards.

use super::*;

fn hub() -> Hub {
    let slugs = vec!["a".to_owned(), "b".to_owned()];
    let hub = Hub::new(slugs.clone(), Stage::new(&slugs, 100));
    hub.reload(0, DeckShape { version: 7, fragments: vec![0, 0] }, None, 200);
    hub
}

fn text(news: &(Vec<Bytes>, bool)) -> String {
    news.0.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
}

#[test]
fn a_new_window_gets_the_present_and_then_only_news() {
    let hub = hub();
    let board = hub.audience_board();
    let mut cursor = Cursor::new(&board.borrow(), Some(0), Some(7), None);
    let first = text(&cursor.advance(&board.borrow()));
    assert_eq!(
        first,
        "id: 101\nevent: state\ndata: {\"v\":101,\"deck\":\"a\",\"slide\":0,\"fragment\":0,\"screen\":\"live\",\
         \"freeze\":false,\"zoom\":null,\"timer\":{\"running\":false,\"elapsed_ms\":0,\"at_ms\":100,\"now_ms\":200},\
         \"deck_version\":7}\n\n"
    );
    assert_eq!(text(&cursor.advance(&board.borrow())), "");
    for _ in 0..3 {
        hub.apply(&Command::Next, 0).expect("it moves");
    }
    let news = text(&cursor.advance(&board.borrow()));
    assert!(news.starts_with("id: 102\n") && news.contains("\"slide\":1"), "states between are skipped: {news}");
}

#[test]
fn a_resuming_window_is_spared_what_it_knows() {
    let hub = hub();
    let board = hub.audience_board();
    let again = |version, id| text(&Cursor::new(&board.borrow(), Some(0), version, id).advance(&board.borrow()));
    assert_eq!(again(Some(7), Some(101)), "");
    assert!(again(Some(7), Some(90)).starts_with("id: 101\n"));
    assert_eq!(again(Some(6), Some(101)), "event: reload\ndata: {\"deck\":\"a\",\"version\":7,\"first\":null}\n\n");
}

#[test]
fn problems_reach_the_windows_of_their_deck_until_healed() {
    let hub = hub();
    let board = hub.speaker_board();
    let mut other = Cursor::new(&board.borrow(), Some(1), None, Some(101));
    hub.problems(0, "<p>bad</p>");
    let expected = "event: problems\ndata: {\"deck\":\"a\",\"html\":\"<p>bad</p>\"}\n\n";
    let mut late = Cursor::new(&board.borrow(), Some(0), Some(7), Some(101));
    assert_eq!(text(&late.advance(&board.borrow())), expected);
    assert_eq!(text(&other.advance(&board.borrow())), "");
    hub.problems(0, "");
    assert_eq!(text(&late.advance(&board.borrow())), "event: problems\ndata: {\"deck\":\"a\",\"html\":\"\"}\n\n");
    let mut later = Cursor::new(&board.borrow(), Some(0), Some(7), Some(101));
    assert_eq!(text(&later.advance(&board.borrow())), "");
}

#[test]
fn moves_while_frozen_do_not_wake_the_audience() {
    let hub = hub();
    hub.apply(&Command::Freeze { on: true }, 0).expect("it freezes");
    let mut audience = hub.audience_board();
    let mut speaker = hub.speaker_board();
    audience.mark_unchanged();
    speaker.mark_unchanged();
    hub.apply(&Command::Next, 0).expect("it moves");
    assert_eq!((audience.has_changed().ok(), speaker.has_changed().ok()), (Some(false), Some(true)));
    assert_eq!((hub.audience(0).slide, hub.speaker(0).slide), (0, 1));
    hub.apply(&Command::Freeze { on: false }, 0).expect("it thaws");
    assert_eq!((audience.has_changed().ok(), hub.audience(0).slide), (Some(true), 1));
}

#[tokio::test]
async fn the_laser_goes_to_all_windows_and_stopping_says_goodbye() {
    let hub = hub();
    let stop = CancellationToken::new();
    let mut audience = hub.audience_board();
    let mut cursor = Cursor::new(&audience.borrow(), None, None, Some(101));
    let watching = async {
        hub.apply(&Command::Laser { to: Some(Point { x: 0.5, y: 0.25 }) }, 0).expect("it points");
        audience.wait_for(|board| board.laser.number > 0).await.expect("the hub lives");
        let point = text(&cursor.advance(&audience.borrow()));
        assert_eq!(point, "event: laser\ndata: {\"x\":0.5,\"y\":0.25}\n\n");
        stop.cancel();
        audience.wait_for(|board| board.closing).await.expect("the hub lives");
        let (news, end) = cursor.advance(&audience.borrow());
        assert_eq!((text(&(news, end)).as_str(), end), ("event: bye\ndata: {}\n\n", true));
    };
    tokio::join!(hub.run(stop.clone()), watching);
}

#[test]
fn panels_reach_the_windows_of_decks_that_have_them() {
    let hub = hub();
    let board = hub.audience_board();
    let cursor = |deck| Cursor { deck: Some(deck), state: 101, reload: 7, ..Cursor::default() };
    let (mut a, mut b) = (cursor(0), cursor(1));
    let keys = |keys: &[&str]| Arc::new(keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<String>>());
    hub.deck_panels(0, &keys(&["pods", "sync"]));
    for (key, text) in [("pods", "p1 "), ("sync", "s1 "), ("pods", "p2 "), ("other", "o1 ")] {
        hub.panel(key, None, Some(Bytes::from_static(text.as_bytes())));
    }
    let told = |window: &mut Cursor| text(&window.advance(&board.borrow()));
    assert_eq!(told(&mut a), "p2 s1 ", "the newest of each, and none of other decks");
    assert_eq!((told(&mut a), told(&mut b)), (String::new(), String::new()));
    hub.panel("sync", None, Some(Bytes::from_static(b"s2 ")));
    hub.deck_panels(1, &keys(&["pods"]));
    assert_eq!((told(&mut a), told(&mut b)), ("p2 s2 ".to_owned(), "p2 ".to_owned()), "what is new to a deck is sent");
    hub.forget_panel("pods");
    assert_eq!(told(&mut cursor(0)), "s2 ");
    assert_eq!(
        text(
            &Cursor::new(&hub.speaker_board().borrow(), Some(0), Some(7), Some(101))
                .advance(&hub.speaker_board().borrow())
        ),
        ""
    );
}
