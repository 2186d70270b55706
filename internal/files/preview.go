package files

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	_ "image/gif" // a picture of a GIF is its first frame
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decodes
)

const (
	maxPixels  = 40_000_000
	maxMemory  = 100 << 20 // bytes that a picture may take while it is decoded
	maxPreview = 1600      // the longer side
)

var errNoPicture = errors.New("this is no picture that can be shown")

// preview writes a picture anew, at most 1600 pixels long. Only pixels go over: no place, camera or
// owner that the file may name, and nothing that hides in it. ctx bounds the time: a small file may say
// the same pixels thousands of times.
func preview(ctx context.Context, r io.ReadSeeker) (data []byte, err error) {
	conf, format, err := image.DecodeConfig(r)
	if err != nil || conf.Width < 1 || conf.Height < 1 || conf.Width > 30_000 || conf.Height > 30_000 || conf.Width*conf.Height > maxPixels {
		return nil, errNoPicture // a small file may claim a picture that fills the memory
	}
	head, err := headOf(r)
	if err != nil {
		return nil, err
	}
	if conf.Width*conf.Height*costOf(conf.ColorModel, format, head) > maxMemory {
		return nil, errNoPicture
	}
	turn := 1
	if format == "jpeg" {
		turn = orientation(head)
	}
	img, _, err := image.Decode(&timed{ctx, bufio.NewReader(r)})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errNoPicture
	}
	img = turned(smaller(img), turn)
	var out bytes.Buffer
	if format == "jpeg" {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 85})
	} else {
		err = png.Encode(&out, img) // text in a screenshot stays sharp
	}
	return out.Bytes(), err
}

// headOf reads where a picture says how it is made, and goes back to its beginning.
func headOf(r io.ReadSeeker) ([]byte, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	head, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return nil, err
	}
	_, err = r.Seek(0, io.SeekStart)
	return head, err
}

// costOf is how many bytes decoding takes for a pixel.
func costOf(model color.Model, format string, head []byte) int {
	switch {
	case format == "webp":
		return 8 // transparency comes as a picture of its own
	case format == "jpeg" && progressive(head):
		return 4 * 5 // four bytes of each colour are kept until the last pass
	case format == "png" && len(head) > 28 && head[28] != 0: // interlaced: the last pass is a picture of its own
		return 2 * depthOf(model)
	}
	return depthOf(model)
}

func depthOf(model color.Model) int {
	switch model {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	}
	if _, ok := model.(color.Palette); ok {
		return 1
	}
	return 4
}

// progressive says whether a JPEG comes in passes. One that does not say so early counts as one that does.
func progressive(head []byte) bool {
	for i := 2; i+4 <= len(head); {
		if head[i] != 0xff {
			i++ // decoders pass over what does not belong there
			continue
		}
		switch m := head[i+1]; {
		case m == 0xff:
			i++
		case m == 0xc0 || m == 0xc1:
			return false
		case m == 0xc2:
			return true
		case m == 0 || m == 1 || (m >= 0xd0 && m <= 0xd9): // no length follows
			i += 2
		default:
			i += 2 + int(head[i+2])<<8 + int(head[i+3])
		}
	}
	return true
}

// timed is a reader that ends with its time. It gives little at once, since what it gives may keep a
// decoder busy for long.
type timed struct {
	ctx context.Context
	r   io.Reader
}

func (t *timed) Read(b []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	return t.r.Read(b[:min(len(b), 512)])
}

func smaller(img image.Image) image.Image {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	long := max(w, h)
	if long <= maxPreview {
		return img
	}
	to := image.NewRGBA(image.Rect(0, 0, max(1, w*maxPreview/long), max(1, h*maxPreview/long)))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), img, img.Bounds(), draw.Src, nil)
	return to
}

// turned carries out the turn that a camera has only noted: the note itself is not kept.
func turned(img image.Image, turn int) image.Image {
	if turn < 2 || turn > 8 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	if turn >= 5 {
		to = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			u, v := x, y
			switch turn {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = h-1-y, x
			case 7:
				u, v = h-1-y, w-1-x
			case 8:
				u, v = y, w-1-x
			}
			to.Set(u, v, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return to
}

// orientation reads EXIF tag 0x0112 of a JPEG; 1, upright, where there is none.
func orientation(head []byte) int {
	head = head[:min(len(head), 128<<10)]
	at := bytes.Index(head, []byte("Exif\x00\x00"))
	if at < 0 || len(head) < at+14 {
		return 1
	}
	tiff := head[at+6:]
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	start := int64(order.Uint32(tiff[4:8]))
	if start+2 > int64(len(tiff)) {
		return 1
	}
	dir := tiff[start:]
	for i := range int(order.Uint16(dir)) {
		field := 2 + 12*i
		if field+12 > len(dir) {
			break
		}
		if order.Uint16(dir[field:]) == 0x0112 {
			return int(order.Uint16(dir[field+8:]))
		}
	}
	return 1
}
