package auth

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/golang-jwt/jwt/v5"
)

// ClaimBranches is the claim that names the branches whose customers its owner may see in analytics: a list of their numbers.
const ClaimBranches = "branches"

// branchesMax bounds a list that every query carries.
const branchesMax = 1000

var errBranches = errors.New("must be a list of numbers of branches")

// branchesIn reads the numbers of branches from a token; nil when it names none.
func branchesIn(claims jwt.MapClaims) ([]int64, error) {
	claim, has := claims[ClaimBranches]
	if !has {
		return nil, nil
	}
	list, ok := claim.([]any)
	if !ok || len(list) == 0 || len(list) > branchesMax {
		return nil, errBranches
	}
	branches := make([]int64, len(list))
	for i, one := range list {
		number, err := branchNumber(one)
		if err != nil || number <= 0 {
			return nil, errBranches
		}
		branches[i] = number
	}
	return branches, nil
}

// branchNumber reads a number as identity providers write it: as a number, or as text.
func branchNumber(claim any) (int64, error) {
	switch v := claim.(type) {
	case float64:
		if v == float64(int64(v)) {
			return int64(v), nil
		}
	case json.Number:
		return v.Int64()
	case string:
		return strconv.ParseInt(v, 10, 64)
	}
	return 0, errBranches
}
