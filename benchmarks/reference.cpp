// What the generated equations are run in: independent designs, and a loop nest that keeps its Pareto front.
// Generated before this file: Case, Metrics, METRICS(case), set(case, slot number, value), objectives and feasibility.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

extern "C" void rows(const double* base, const double* const* columns, int64_t first, int64_t last, int64_t stride,
                     double* out) {
  Case row;
  std::memcpy(&row, base, sizeof(row));
  for (int64_t i = first; i < last; ++i) {
    set_rows(row, columns, i);
    const Metrics found = METRICS(row);
    store(found, out + i, stride);
  }
}

// A bucket of all objectives but the last knows the least last objective of the designs in lower buckets.
template <int K>
struct Front {
  static constexpr int MOST = K == 2 ? 4096 : 128;
  std::vector<double> least, table;
  double low[K], high[K];
  std::vector<double> kept;

  static int64_t key(double value) {
    int64_t bits;
    std::memcpy(&bits, &value, 8);
    return bits ^ ((bits >> 63) & INT64_MAX);
  }
  int64_t origin[K], limit[K];
  int shift[K];

  void scale(const std::vector<double>& sample) {
    for (int k = 0; k + 1 < K; ++k) {
      origin[k] = INT64_MAX;
      limit[k] = INT64_MIN;
      for (size_t i = k; i < sample.size(); i += K) {
        origin[k] = std::min(origin[k], key(sample[i]));
        limit[k] = std::max(limit[k], key(sample[i]));
      }
      shift[k] = 0;
      while ((uint64_t(limit[k] - origin[k]) >> shift[k]) >= uint64_t(MOST)) ++shift[k];
    }
    const size_t cells = K == 2 ? MOST : size_t(MOST) * MOST;
    least.assign(cells, std::numeric_limits<double>::infinity());
    table = least;
  }
  size_t cell(const double* values) const {
    size_t at = 0;
    for (int k = 0; k + 1 < K; ++k)
      at = at * MOST + (uint64_t(std::clamp(key(values[k]), origin[k], limit[k]) - origin[k]) >> shift[k]);
    return at;
  }
  void renew() {
    std::vector<double> upto = least;
    const size_t rows = K == 2 ? 1 : MOST;
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < MOST; ++c) {
        double& here = upto[r * MOST + c];
        if (c) here = std::min(here, upto[r * MOST + c - 1]);
        if (r) here = std::min(here, upto[(r - 1) * MOST + c]);
      }
    for (size_t r = K == 2 ? 0 : 1; r < rows; ++r)
      for (size_t c = 1; c < MOST; ++c) table[r * MOST + c] = upto[(K == 2 ? 0 : r - 1) * MOST + c - 1];
  }
  bool beaten(const double* values) const { return values[K - 1] >= table[cell(values)]; }
  void take(const double* values) {
    kept.insert(kept.end(), values, values + K);
    double& here = least[cell(values)];
    here = std::min(here, values[K - 1]);
  }
  // Exact: sorted, then each compared with those kept before it (for two objectives, with the last one).
  void finish() {
    std::vector<const double*> order;
    for (size_t i = 0; i < kept.size(); i += K) order.push_back(&kept[i]);
    std::sort(order.begin(), order.end(), [](const double* a, const double* b) {
      return std::lexicographical_compare(a, a + K, b, b + K);
    });
    std::vector<const double*> front;
    for (const double* one : order) {
      bool worse = false;
      for (size_t j = front.size(); j-- > (K == 2 && !front.empty() ? front.size() - 1 : 0) && !worse;) {
        worse = true;
        for (int k = 0; k < K; ++k) worse = worse && front[j][k] <= one[k];
      }
      if (!worse) front.push_back(one);
    }
    std::vector<double> found;
    for (const double* one : front) found.insert(found.end(), one, one + K);
    kept = std::move(found);
  }
};

extern "C" int64_t grid(const double* base, const double* const* columns, const int64_t* lengths, int64_t first,
                        int64_t last, double* out) {
  Front<OBJECTIVES> front;
  double values[OBJECTIVES];
  int64_t place[AXES];
  std::vector<double> sample;
  Case row;
  std::memcpy(&row, base, sizeof(row));
  for (int i = 0; i < 4096; ++i) {  // every axis at places that have nothing to do with each other
    for (int a = 0; a < AXES; ++a) place[a] = (int64_t(i) * (2654435761u + 97 * a) >> 7) % lengths[a];
    set_place(row, columns, place);
    const Metrics found = METRICS(row);
    objectives(found, values);
    if (found.feasible_ > 0.0) sample.insert(sample.end(), values, values + OBJECTIVES);
  }
  front.scale(sample);
  for (size_t i = 0; i < sample.size(); i += OBJECTIVES) front.take(&sample[i]);
  front.renew();
  size_t renewed = front.kept.size();
  NEST {
    const Metrics found = METRICS(row);
    objectives(found, values);
    if (found.feasible_ > 0.0 && !front.beaten(values)) {
      front.take(values);
      if (front.kept.size() > renewed + 65536) {
        front.finish();
        front.renew();
        renewed = front.kept.size();
      }
    }
  } END_NEST
  front.finish();
  if (out) std::copy(front.kept.begin(), front.kept.end(), out);
  return int64_t(front.kept.size() / OBJECTIVES);
}
