package files

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestPreviewsHoldOnlyPixels(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 3000, 100))
	img.Set(0, 0, color.RGBA{255, 0, 0, 255})
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := "\xff\xe1\x00\x48Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00" + strings.Repeat("Minneapolis ", 3) + "\x00\x00\x00\x00"
	with := append([]byte("\xff\xd8"+exif), plain.Bytes()[2:]...)
	out, err := preview(t.Context(), bytes.NewReader(with))
	if err != nil {
		t.Fatal(err)
	}
	conf, _, err := image.DecodeConfig(bytes.NewReader(out))
	if err != nil || conf.Height != maxPreview || conf.Width >= 100 {
		t.Fatalf("%dx%d, not turned or not made smaller: %v", conf.Width, conf.Height, err)
	}
	if bytes.Contains(out, []byte("Minneapolis")) || bytes.Contains(out, []byte("Exif")) {
		t.Fatal("the place went along")
	}
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	claims := bytes.Replace(small.Bytes(), []byte("\x00\x00\x00\x01\x00\x00\x00\x01"), []byte("\x00\x00\x4e\x20\x00\x00\x4e\x20"), 1) // 20,000 by 20,000
	if _, err := preview(t.Context(), bytes.NewReader(claims)); err == nil {
		t.Fatal("a picture of 400 million pixels was decoded")
	}
}

// header is the beginning of a PNG that claims to be of this size and kind.
func header(width, height uint32, depth, kind, interlace byte) []byte {
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	out := small.Bytes()
	binary.BigEndian.PutUint32(out[16:], width)
	binary.BigEndian.PutUint32(out[20:], height)
	out[24], out[25], out[28] = depth, kind, interlace
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

// What a picture takes in memory counts, not only its pixels.
func TestPicturesThatFillTheMemoryAreNotDecoded(t *testing.T) {
	for name, claim := range map[string][]byte{
		"30,000 by 30,000":        header(30_000, 30_000, 8, 6, 0),
		"sixteen bits a colour":   header(4_000, 4_000, 16, 6, 0),
		"interlaced":              header(4_000, 4_000, 8, 6, 1),
		"long and thin":           header(40_000, 1, 8, 6, 0),
		"none":                    header(0, 10, 8, 6, 0),
		"a JPEG in passes":        passes(3_000, 3_000, 0),
		"a JPEG that hides it":    append([]byte("\xff\xd8"), append(bytes.Repeat([]byte("\xff\xfe\xff\xff"+strings.Repeat(" ", 65_533)), 20), passes(4_000, 2_000, 0)[2:]...)...),
		"WebP, 16,000 by 16,000":  []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x7f\xbe\x9f\x0f" + strings.Repeat("\x00", 9)),
		"GIF, 65,535 by 65,535":   []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"),
		"GIF without any picture": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := preview(t.Context(), bytes.NewReader(claim)); !errors.Is(err, errNoPicture) {
			t.Errorf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 8 {
			t.Errorf("%s took %d MiB", name, took)
		}
	}
	// Within the bounds it is tried: what is missing is the pixels.
	if _, _, err := image.DecodeConfig(bytes.NewReader(header(5_000, 5_000, 8, 6, 0))); err != nil {
		t.Fatal(err)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewYCbCr(image.Rect(0, 0, 40, 30), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	for what, takes := range map[string]int{
		"a large screenshot": 5_000 * 5_000 * costOf(color.NRGBAModel, "png", header(5_000, 5_000, 8, 6, 0)),
		"a phone's photo":    6_000 * 4_500 * costOf(color.YCbCrModel, "jpeg", photo.Bytes()),
	} {
		if takes > maxMemory {
			t.Errorf("%s has no preview", what)
		}
	}
}

// passes is a grey JPEG that tells its pixels in many passes, each of them in a few bytes.
func passes(width, height, n int) []byte {
	out := []byte("\xff\xd8\xff\xdb\x00\x43\x00" + strings.Repeat("\x01", 64))
	out = append(out, 0xff, 0xc2, 0, 11, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 1, 1, 0x11, 0)
	one := strings.Repeat("\x00", 15)
	out = append(out, "\xff\xc4\x00\x14\x00\x01"+one+"\x00"...) // code 0: no difference
	out = append(out, "\xff\xc4\x00\x14\x10\x01"+one+"\xe0"...) // code 0: a run of 16,384 blocks and more without anything
	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	out = append(out, "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00"...)
	out = append(out, make([]byte, (blocks+7)/8)...)
	for range n {
		out = append(out, "\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"...)
		out = append(out, make([]byte, (blocks/16_384+1)*15/8+1)...)
	}
	return append(out, 0xff, 0xd9)
}

func TestAPictureMayNotTakeForEver(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := preview(t.Context(), bytes.NewReader(passes(200, 200, 2))); err != nil {
		t.Fatalf("a sound picture in passes: %v", err)
	}
	bomb := bytes.NewReader(passes(2_200, 2_200, 20_000)) // 600 KiB
	if _, err := preview(ctx, bomb); !errors.Is(err, context.DeadlineExceeded) || bomb.Len() == 0 {
		t.Fatalf("%d bytes are left: %v", bomb.Len(), err)
	}
}
