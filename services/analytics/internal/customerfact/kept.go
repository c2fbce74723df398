package customerfact

import "context"

func (s *Service) keeps(context.Context, moment) (bool, error) { return false, nil }
