// Command bench measures what a CometBFT node itself needs for a commit of 100 validators, beside one ed25519 verification,
// and prints microseconds as JSON. `make bench` runs it where Go is installed; nothing else of the hub is in Go.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

const (
	chain      = "bench-1"
	height     = int64(7)
	validators = 100
	repeats    = 15
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// best is the best mean of `loops` calls among all repeats, in microseconds.
func best(loops int, operation func() error) float64 {
	least := time.Duration(1<<63 - 1)
	for i := 0; i < repeats; i++ {
		began := time.Now()
		for j := 0; j < loops; j++ {
			check(operation())
		}
		if took := time.Since(began); took < least {
			least = took
		}
	}
	return float64(least.Nanoseconds()) / float64(loops) / 1000
}

func main() {
	keys := map[string]ed25519.PrivKey{}
	members := make([]*types.Validator, 0, validators)
	for i := 0; i < validators; i++ {
		key := ed25519.GenPrivKeyFromSecret([]byte(fmt.Sprintf("bench validator %d", i)))
		keys[key.PubKey().Address().String()] = key
		members = append(members, types.NewValidator(key.PubKey(), 10))
	}
	set := types.NewValidatorSet(members)
	hash := tmhash.Sum([]byte("bench block"))
	block := types.BlockID{Hash: hash, PartSetHeader: types.PartSetHeader{Total: 1, Hash: hash}}
	votes := make([]types.CommitSig, 0, validators)
	for i, member := range set.Validators {
		vote := &types.Vote{
			Type: cmtproto.PrecommitType, Height: height, BlockID: block, Timestamp: time.Unix(1_700_000_000, int64(i)).UTC(),
			ValidatorAddress: member.Address, ValidatorIndex: int32(i),
		}
		signature, err := keys[member.Address.String()].Sign(types.VoteSignBytes(chain, vote.ToProto()))
		check(err)
		vote.Signature = signature
		votes = append(votes, vote.CommitSig())
	}
	commit := &types.Commit{Height: height, BlockID: block, Signatures: votes}

	first := set.Validators[0]
	message := commit.VoteSignBytes(chain, 0)
	one := best(200, func() error {
		if !first.PubKey.VerifySignature(message, votes[0].Signature) {
			return fmt.Errorf("the signature does not hold")
		}
		return nil
	})
	light := best(10, func() error { return set.VerifyCommitLight(chain, block, height, commit) })
	all := best(10, func() error { return set.VerifyCommit(chain, block, height, commit) })
	check(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"go_ed25519_us":                           one,
		"go_cometbft_commit_100_us":               light,
		"go_cometbft_commit_100_all_us":           all,
		"go_cometbft_commit_100_ratio_to_ed25519": light / one,
	}))
}
