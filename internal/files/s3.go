package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"chatnow/internal/fault"
)

// S3 is a store in a bucket of an S3-compatible server, for several nodes without a shared disk.
type S3 struct {
	client *minio.Client
	bucket string
}

// OpenS3 reads an address such as s3://KEY:SECRET@host:9000/bucket?region=eu-central-1&tls=off. It does
// not call the server: one that is down for a moment must not keep the program from starting.
func OpenS3(address string) (*S3, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User == nil || len(u.Path) < 2 || strings.Contains(strings.Trim(u.Path, "/"), "/") {
		return nil, errors.New("CHATNOW_S3_URL should look like s3://KEY:SECRET@host:9000/bucket?region=eu-central-1") // the secret stays out of the log
	}
	secret, _ := u.User.Password()
	client, err := minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(u.User.Username(), secret, ""),
		Secure: u.Query().Get("tls") != "off", Region: u.Query().Get("region"), BucketLookup: minio.BucketLookupPath,
		MaxRetries: 3, // somebody waits
	})
	if err != nil {
		return nil, fmt.Errorf("CHATNOW_S3_URL: %w", err)
	}
	return &S3{client, strings.Trim(u.Path, "/")}, nil
}

// Put writes an object.
func (s *S3) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	_, err := s.client.PutObject(ctx, s.bucket, key, r, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return full(fmt.Errorf("put object: %w", err))
	}
	return nil
}

// Get opens an object.
func (s *S3) Get(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	o, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err == nil {
		_, err = o.Stat() // GetObject itself asks nothing yet
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fault.NotFound("There is no such file.").Because(err)
	}
	if err != nil {
		return nil, fault.Unavailable("The file cannot be read just now.").Because(fmt.Errorf("get object: %w", err))
	}
	return o, nil
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return fault.Unavailable("The file cannot be deleted just now.").Because(fmt.Errorf("delete object: %w", err))
	}
	return nil
}
