//! What is refused, and in which words.

use miniio::{Address, Error, Event};

use crate::rig::{Rig, Transport};

pub fn an_address_in_use(mut rig: Rig) {
    let (listener, address) = rig.listen();
    let error = rig.io.listen(&address).unwrap_err();
    assert_eq!(error, Error::InUse(address.clone()));
    assert!(error.to_string().contains("another port"), "{error}");
    rig.io.close_listener(listener);
    rig.io.listen(&address).unwrap();
}

pub fn nobody_listens(mut rig: Rig) {
    let (listener, address) = rig.listen();
    rig.io.close_listener(listener);
    let error = match rig.io.connect(&address) {
        Err(error) => error,
        Ok(id) => match rig.next() {
            Event::Failed(failed, error) => {
                assert_eq!(failed, id);
                assert_eq!(rig.io.write(id, b"x").unwrap_err(), error);
                assert_eq!(rig.io.received(id).unwrap_err(), error);
                error
            }
            other => panic!("{other:?}"),
        },
    };
    assert_eq!(error, Error::Refused(address));
}

pub fn what_was_closed(mut rig: Rig) {
    let (listener, _) = rig.listen();
    let (client, server) = rig.connection();
    for id in [client, server] {
        rig.io.close(id);
        assert_eq!(rig.io.write(id, b"x"), Err(Error::Closed));
        assert_eq!(rig.io.received(id), Err(Error::Closed));
        assert_eq!(rig.io.consume(id, 1), Err(Error::Closed));
        assert_eq!(rig.io.room(id), Err(Error::Closed));
        assert_eq!(rig.io.finish(id), Err(Error::Closed));
        assert_eq!(rig.io.transfer(id, id), Err(Error::Closed));
        assert_eq!(rig.io.peer(id), Err(Error::Closed));
    }
    rig.io.close_listener(listener);
    assert_eq!(rig.io.listener_address(listener), Err(Error::Closed));
    // New streams may have the place, but not the id.
    let (new_client, new_server) = rig.connection();
    assert!(![new_client, new_server].contains(&client));
    assert_eq!(rig.io.write(client, b"x"), Err(Error::Closed));
}

pub fn writing_after_the_end(mut rig: Rig) {
    let (client, _server) = rig.connection();
    rig.io.finish(client).unwrap();
    assert_eq!(rig.io.write(client, b"x"), Err(Error::AfterFinish));
    assert_eq!(rig.io.room(client), Err(Error::AfterFinish));
}

pub fn other_machines_are_asked_for(mut rig: Rig) {
    let anyone: Address = "0.0.0.0:0".parse().unwrap();
    let error = rig.io.listen(&anyone).unwrap_err();
    assert_eq!(error, Error::NotLoopback(anyone.clone()));
    if rig.transport == Transport::InProcess {
        let own: Address = "127.0.0.1:0".parse().unwrap();
        assert_eq!(rig.io.listen(&own), Err(Error::NoSockets(own.clone())));
        assert_eq!(rig.io.connect(&own), Err(Error::NoSockets(own)));
        assert_eq!(rig.io.stdio(miniio::Stdio::Input), Err(Error::NoStream));
        return;
    }
    rig.io.listen_exposed(&anyone).unwrap();
    // TEST-NET-1 belongs to nobody.
    let nobody: Address = "192.0.2.1:0".parse().unwrap();
    assert_eq!(rig.io.listen_exposed(&nobody), Err(Error::NoSuchAddress(nobody)));
    #[cfg(unix)]
    {
        let nowhere: Address = "unix:/no/such/directory/x".parse().unwrap();
        assert_eq!(rig.io.listen(&nowhere), Err(Error::Permission(nowhere)));
        let long = Address::Unix("/tmp/".to_owned().repeat(100).into());
        rig.io.listen(&long).unwrap_err();
        rig.io.connect(&long).unwrap_err();
    }
}
