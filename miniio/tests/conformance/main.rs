//! One suite over every kind of stream: what a program may rely on.

mod close;
mod errors;
mod flow;
mod many;
mod rig;
mod timers;
mod wakers;
mod walk;

/// Each test with each transport.
macro_rules! conformance {
    ($($topic:ident: $($test:ident)*;)*) => {
        conformance!(@ in_process, InProcess; $($topic: $($test)*;)*);
        #[cfg(feature = "uv")]
        conformance!(@ local, Local; $($topic: $($test)*;)*);
        #[cfg(feature = "uv")]
        conformance!(@ tcp, Tcp; $($topic: $($test)*;)*);
        #[cfg(all(feature = "uv", unix))]
        conformance!(@ unix_socket, UnixSocket; $($topic: $($test)*;)*);
    };
    (@ $module:ident, $transport:ident; $($topic:ident: $($test:ident)*;)*) => {
        mod $module {$(
            mod $topic {$(
                #[test]
                fn $test() {
                    crate::$topic::$test(crate::rig::Rig::new(crate::rig::Transport::$transport));
                }
            )*}
        )*}
    };
}

conformance! {
    flow: bytes_keep_their_order_both_ways reads_and_writes_may_be_partial
        a_slow_reader_stops_the_writer half_close_leaves_the_other_half
        the_end_comes_after_the_last_byte bytes_written_before_the_connection_arrive
        a_flood_starves_nobody room_is_what_a_write_takes;
    close: no_event_names_a_closed_stream a_stream_may_be_closed_in_any_state
        the_peer_of_a_closed_stream_sees_the_end a_writer_learns_that_its_peer_is_gone
        what_was_finished_arrives_although_closed a_closed_listener_accepts_nobody
        a_dropped_loop_closes_its_streams;
    errors: an_address_in_use nobody_listens what_was_closed writing_after_the_end
        other_machines_are_asked_for;
    many: ten_thousand_streams;
    timers: in_the_order_of_their_times never_early cancelled_in_time
        cancelled_between_due_and_handed_out a_timer_ends_a_wait;
    wakers: many_wakes_are_one_event no_wake_is_lost a_wake_ends_a_wait
        a_waker_outlives_its_loop a_closed_waker_is_silent;
    walk: random_steps;
}
