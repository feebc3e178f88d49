// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClientVerifier, SealedHeader, Vote} from "../Interfaces.sol";
import {RunBroken, RunEmpty, RunOutdated, SealsMissing, TimeBackwards, ValidatorsUnexpected, ValidatorsUnfit} from "../Errors.sol";
import {Client} from "./Client.sol";
import {Header, Headers} from "./Headers.sol";

/// @title Following a change of the set by a run of headers that shows the votes
/// @notice Source: docs/protocol.md, section Who believes what; the count of votes is Besu's VoteTally and GoQuorum's
/// snapApplyHeader, in Python light_clients/bft/votes.py. A run that begins late has fewer votes than the ledger and then
/// comes to another set than the headers list: it is refused, never believed.
abstract contract Runs is Client {
    struct Run {
        bytes32 blockHash; // of the last header
        bytes32 validatorsHash; // of the set that the votes lead to
        uint64 height;
        uint64 timestamp;
        uint32 setChanges; // of the client when the run was at its last header
        bool isSealed; // the last header's seals were given
        bool changes; // the next header is the first of another set
        Vote[] votes;
    }

    /// A run in memory; `votes` has room for one more with each header.
    struct Tally {
        Run run;
        Vote[] votes;
        uint256 count;
    }

    mapping(address caller => Run) private _runs;

    /// @inheritdoc ILightClientVerifier
    function followRun(bool fresh, SealedHeader[] calldata run) external override {
        _requireLive();
        if (run.length == 0) revert RunEmpty();
        Tally memory tally = _load(fresh, run.length);
        for (uint256 i = 0; i < run.length; ++i) {
            Header memory header = Headers.read(run[i].header);
            _requireNotAhead(header);
            if (fresh && i == 0) {
                _requireSet(header);
            } else {
                _requireNext(tally.run, header);
            }
            bool isSealed = run[i].seals.length != 0;
            if (isSealed) _requireSealed(header, run[i].seals);
            if (tally.run.changes) _change(tally.run, header, isSealed);
            _take(tally, header);
            tally.run.isSealed = isSealed;
        }
        _store(tally);
        emit RunFollowed(msg.sender, tally.run.height, tally.run.blockHash, tally.count);
    }

    /// @inheritdoc ILightClientVerifier
    function runOf(address caller)
        external
        view
        override
        returns (uint64 height, bytes32 blockHash, uint64 timestamp, Vote[] memory votes)
    {
        Run storage run = _runs[caller];
        if (run.setChanges != _setChanges) return (0, 0, 0, votes);
        return (run.height, run.blockHash, run.timestamp, run.votes);
    }

    function _load(bool fresh, uint256 more) private view returns (Tally memory tally) {
        if (fresh) {
            tally.votes = new Vote[](more);
            tally.run.setChanges = _setChanges;
            return tally;
        }
        Run storage kept = _runs[msg.sender];
        if (kept.setChanges != _setChanges) revert RunOutdated();
        tally.run = kept;
        tally.count = tally.run.votes.length;
        tally.votes = new Vote[](tally.count + more);
        for (uint256 i = 0; i < tally.count; ++i) {
            tally.votes[i] = tally.run.votes[i];
        }
    }

    function _store(Tally memory tally) private {
        Run storage kept = _runs[msg.sender];
        delete kept.votes;
        for (uint256 i = 0; i < tally.count; ++i) {
            kept.votes.push(tally.votes[i]);
        }
        Run memory run = tally.run;
        (kept.blockHash, kept.validatorsHash) = (run.blockHash, run.validatorsHash);
        (kept.height, kept.timestamp, kept.setChanges) = (run.height, run.timestamp, run.setChanges);
        (kept.isSealed, kept.changes) = (run.isSealed, run.changes);
    }

    function _requireNext(Run memory run, Header memory header) private pure {
        if (uint256(header.height) != uint256(run.height) + 1 || header.parentHash != run.blockHash) {
            revert RunBroken(header.height);
        }
        if (header.timestamp < run.timestamp) revert TimeBackwards(run.timestamp, header.timestamp);
        if (header.validatorsHash != run.validatorsHash) {
            revert ValidatorsUnexpected(run.validatorsHash, header.validatorsHash);
        }
        _requireProposer(header);
    }

    /// The first header of another set: it and its parent are sealed, each by its own set; the client stands here now.
    function _change(Run memory run, Header memory header, bool isSealed) private {
        if (!run.isSealed) revert SealsMissing(run.height);
        if (!isSealed) revert SealsMissing(header.height);
        _requireQuorum(header.validators.length);
        _advance(header);
        _trustSet(header);
        run.setChanges = _setChanges;
        emit ValidatorsChanged(header.height, header.blockHash, header.timestamp, header.validators);
    }

    /// The run stands at this header; its vote is counted.
    function _take(Tally memory tally, Header memory header) private view {
        Run memory run = tally.run;
        (run.height, run.timestamp, run.blockHash) = (header.height, header.timestamp, header.blockHash);
        run.validatorsHash = _afterVotes(tally, header);
        run.changes = run.validatorsHash != header.validatorsHash;
    }

    /// The set of the next block, by its hash, and the votes that are open then. Besu ignores the vote of an epoch block and
    /// counts one that would change nothing, GoQuorum the other way round; any vote about a subject makes those about it be
    /// counted anew: after the set has shrunk, it may complete the others'.
    function _afterVotes(Tally memory tally, Header memory header) private view returns (bytes32) {
        bool counted = header.votes;
        if (header.height % _epochLength == 0) {
            tally.count = 0;
            if (_dialect == BESU) counted = false;
        }
        if (!counted) return header.validatorsHash;
        address subject = header.subject;
        _drop(tally, header.coinbase, subject);
        bool member = _seatOf(header.validators, subject) != header.validators.length;
        if (_dialect == BESU || header.add != member) {
            tally.votes[tally.count++] = Vote(header.coinbase, subject, header.add);
        }
        uint256 needed = header.validators.length / 2 + 1;
        bool adding = _agreeing(tally, subject, true) >= needed;
        if (!adding && _agreeing(tally, subject, false) < needed) return header.validatorsHash;
        _drop(tally, address(0), subject);
        if (!adding) _drop(tally, subject, address(0));
        if (adding == member) return header.validatorsHash;
        return Headers.hashOf(adding ? _grown(header.validators, subject) : _shrunk(header.validators, subject));
    }

    /// Takes votes away: of this voter about this subject; zero stands for any.
    function _drop(Tally memory tally, address voter, address subject) private pure {
        uint256 kept = 0;
        for (uint256 i = 0; i < tally.count; ++i) {
            Vote memory vote = tally.votes[i];
            bool dropped =
                (voter == address(0) || vote.voter == voter) && (subject == address(0) || vote.subject == subject);
            if (!dropped) tally.votes[kept++] = vote;
        }
        tally.count = kept;
    }

    function _agreeing(Tally memory tally, address subject, bool add) private pure returns (uint256 votes) {
        for (uint256 i = 0; i < tally.count; ++i) {
            if (tally.votes[i].subject == subject && tally.votes[i].add == add) ++votes;
        }
    }

    function _grown(address[] memory validators, address subject) private pure returns (address[] memory grown) {
        uint256 size = validators.length;
        if (size == 256) revert ValidatorsUnfit(size + 1);
        grown = new address[](size + 1);
        uint256 place = _placeOf(validators, subject);
        for (uint256 i = 0; i <= size; ++i) {
            grown[i] = i == place ? subject : validators[i < place ? i : i - 1];
        }
    }

    function _shrunk(address[] memory validators, address subject) private pure returns (address[] memory shrunk) {
        uint256 size = validators.length - 1;
        if (size == 0) revert ValidatorsUnfit(size);
        shrunk = new address[](size);
        uint256 place = _placeOf(validators, subject);
        for (uint256 i = 0; i < size; ++i) {
            shrunk[i] = validators[i < place ? i : i + 1];
        }
    }
}
